import type { Language, Prediction, Task } from '@whylight/contract';
import { expect, test } from 'vitest';
import { captionOf } from './rendering.ts';

const says = (class_index: number, label: string, probability?: number) => ({
  ...{ class_index, label, label_zh: null, score: 1.5 },
  ...(probability !== undefined && { probability }),
});

test('a caption names the likeliest class, and the explained one where that is another', () => {
  const [cat, dog] = [says(0, 'cat', 0.7), says(1, 'dog', 0.3)];
  const of = (task: Task, target: Prediction) =>
    captionOf({ task, predicted: cat, target, language: 'en' }, 2);
  expect(of('multiclass', cat)).toEqual(['Pred: cat 0.70']);
  expect(of('multilabel', dog)).toEqual(['Pred: cat 0.70', 'Target: dog 0.30']);
  expect(of('multiclass', says(0, 'not cat', 0.3))).toEqual(['Pred: cat 0.70', 'Target: not cat 0.30']);
});

test('a caption of a network of one output names what is explained, and calls a score a score', () => {
  const negation = says(0, 'not cat', 0.9);
  const of = (task: Task, target: Prediction, language: Language) =>
    captionOf({ task, predicted: says(0, 'cat', 0.1), target, language });
  expect(of('binary', negation, 'en')).toEqual(['Target: not cat 0.900']);
  expect(of('regression', says(0, 'age'), 'en')).toEqual(['Target: age, score 1.500']);
  expect(of('regression', says(0, 'age'), 'zh')).toEqual(['目标：age，得分 1.500']);
});
