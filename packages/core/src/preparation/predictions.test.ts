import { describe, expect, test } from 'vitest';
import { classNames } from './class-names.ts';
import { predictionText } from './prediction-text.ts';
import {
  cropWarnings,
  doubts,
  highest,
  predictionOfTarget,
  predictionsOf,
  resolveTarget,
} from './predictions.ts';

const cat = { en: 'cat', zh: '猫' };
const dog = { en: 'dog', zh: '狗' };
const fox = { en: 'fox', zh: null };
const outputs = (probabilities: number[] | null, scores: number[]) => ({
  probabilities: probabilities && Float32Array.from(probabilities),
  scores: Float32Array.from(scores),
});

describe('M5: what a network says of a class', () => {
  test('is a probability where there is one, and the score beside it', () => {
    const [first, second] = predictionsOf(outputs([0.25, 0.75], [1, -2]), classNames([cat, dog], 2));
    expect(first).toEqual({ class_index: 0, label: 'cat', label_zh: '猫', probability: 0.25, score: 1 });
    expect(second).toMatchObject({ probability: 0.75, score: -2 });
  });

  test('is a score alone where there is none, and has no probability then', () => {
    const [only] = predictionsOf(outputs(null, [36.5]), classNames(null, 1));
    expect(only).toEqual({ class_index: 0, label: 'class 0', label_zh: null, score: 36.5 });
    expect('probability' in only!).toBe(false);
  });

  test('is ranked by probability, by score where there is none, and by index where they are equal', () => {
    const names = classNames(null, 3);
    const ranked = (p: number[] | null, s: number[]) =>
      highest(predictionsOf(outputs(p, s), names), 2).map(({ class_index }) => class_index);
    expect(ranked([0.2, 0.5, 0.3], [9, 1, 5])).toEqual([1, 2]);
    expect(ranked(null, [9, 1, 5])).toEqual([0, 2]);
    expect(ranked([0.5, 0.5, 0.5], [9, 1, 10])).toEqual([0, 1]);
  });

  test('is told with the right word in both languages', () => {
    const [p] = predictionsOf(outputs([0.25], [1]), classNames([cat], 1));
    const [s] = predictionsOf(outputs(null, [-1.5]), classNames([cat], 1));
    expect([predictionText(p!, 'en'), predictionText(p!, 'zh')]).toEqual(['cat 0.250', '猫 0.250']);
    expect([predictionText(s!, 'en'), predictionText(s!, 'zh')]).toEqual([
      'cat, score -1.500',
      '猫，得分 -1.500',
    ]);
  });
});

describe('the negation of a lone output', () => {
  const negated = [{ class: 0, weight: -1 }];
  const told = (labels: (typeof cat)[] | null) => {
    const names = classNames(labels, 1);
    return predictionOfTarget(negated, 0, predictionsOf(outputs([0.25], [-1.5]), names), names);
  };

  test('is called "not" its class, and has the complement of its probability', () => {
    expect(told([cat])).toEqual({
      ...{ class_index: 0, label: 'not cat', label_zh: '非猫' },
      ...{ probability: 0.75, score: 1.5 },
    });
    expect(told(null).label).toBe('not class 0');
  });

  test('has its own name where two are given, [negative, positive]', () => {
    expect(told([dog, cat])).toMatchObject({ label: 'dog', label_zh: '狗', probability: 0.75 });
    const names = classNames([dog, cat], 1);
    expect(predictionsOf(outputs([0.25], [-1.5]), names)).toMatchObject([
      { label: 'cat', probability: 0.25 },
    ]);
  });

  test('is found by its name', () => {
    const two = classNames([dog, cat], 1);
    expect(resolveTarget({ label: 'cat' }, two, 1)).toBe(0);
    expect(resolveTarget({ label: '狗' }, two, 1)).toEqual(negated);
    expect(resolveTarget({ label: 'not cat' }, classNames([cat], 1), 1)).toEqual(negated);
    expect(() => resolveTarget({ label: 'not cat' }, classNames([cat, dog], 2), 2)).toThrow(
      'no class is called',
    );
    expect(() => resolveTarget({ label: 'cat' }, classNames(null, 1), 1)).toThrow('give a class index');
  });
});

test('a sum of classes is stood for by the class that it names first', () => {
  const names = classNames([cat, dog, fox], 3);
  const predictions = predictionsOf(outputs([0.2, 0.5, 0.3], [0, 1, 2]), names);
  const terms = [
    { class: 2, weight: 1 },
    { class: 0, weight: -1 },
  ];
  expect(predictionOfTarget(terms, 2, predictions, names)).toEqual(predictions[2]);
});

test('a low probability is doubted where classes exclude each other, and nowhere else', () => {
  const low = { class_index: 0, label: 'cat', label_zh: null, probability: 0.1, score: -2 };
  expect(doubts('multiclass', low)).toMatchObject([{ code: 'unsure' }]);
  expect(doubts('multiclass', { ...low, probability: 0.9 })).toEqual([]);
  expect(doubts('multiclass', { ...low, probability: undefined })).toEqual([]);
  for (const task of ['multilabel', 'binary', 'regression'] as const) expect(doubts(task, low)).toEqual([]);
});

test('a photo of which the network saw little has a warning that says how little', () => {
  const photo = { width: 1000, height: 100 };
  const crop = (width: number) => ({ x: 500 - width / 2, y: 0, width, height: 100 });
  expect(cropWarnings(photo, crop(60))).toEqual([
    { code: 'small_crop', message: 'the model saw only 6 % of this photo' },
  ]);
  expect(cropWarnings(photo, crop(400))).toEqual([]);
  // Padding beyond the photo shows nothing of it.
  expect(cropWarnings(photo, { x: 0, y: -450, width: 1000, height: 1000 })).toEqual([]);
});
