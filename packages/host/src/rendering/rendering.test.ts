import type { Language, Prediction, Task } from '@whylight/contract';
import { float32 } from '@whylight/core';
import { expect, test } from 'vitest';
import { captionOf, mapsOf } from './rendering.ts';

/** Nine by eight pixels of three channels, of which one pixel counts. */
function spot(order: 'NCHW' | 'NHWC') {
  const data = new Float32Array(3 * 9 * 8);
  const [row, column] = [6, 2];
  for (let c = 0; c < 3; c++)
    data[order === 'NCHW' ? (c * 9 + row) * 8 + column : (row * 8 + column) * 3 + c] = 1;
  return float32(order === 'NCHW' ? [1, 3, 9, 8] : [1, 9, 8, 3], data);
}

test.each(['NCHW', 'NHWC'] as const)('pixels with their channels as in %s lie where they are', (order) => {
  const { over } = mapsOf({ attribution: spot(order), layout: 'NCHW', method: 'saliency' });
  expect([over.width, over.height]).toEqual([8, 9]);
  expect(over.data.indexOf(Math.max(...over.data))).toBe(6 * 8 + 2);
});

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
