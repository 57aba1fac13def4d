import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test.each([
  ['gradcam', 'grad-cam'],
  ['GRAD-CAM', 'grad-cam'],
  ['oclusion', 'occlusion'],
  ['integrated-gradient', 'integrated-gradients'],
])('%s is nearest to %s', (word, meant) => {
  expect(nearestName(word, ['integrated-gradients', 'occlusion', 'grad-cam'])).toBe(meant);
});

test('a word that no name resembles has no nearest name', () => {
  const methods = ['grad-cam', 'integrated-gradients', 'occlusion'];
  expect(nearestName('banana', methods)).toBeUndefined();
  expect(nearestName('', methods)).toBeUndefined();
  expect(nearestName('grad-cam', [])).toBeUndefined();
  expect(nearestName('zebra', ['horse', 'tiger'])).toBeUndefined();
});

test('of several names with the same distance the first one is found', () => {
  expect(nearestName('relu3', ['relu1', 'relu2'])).toBe('relu1');
});

test('the search compares only so many names that a request does not take seconds', () => {
  const long = (count: number) =>
    Array.from({ length: count }, (_, i) => String(i).padEnd(100, 'abcdefghij'));
  const word = 'z'.repeat(100);
  expect(nearestName(word, [...long(900), word])).toBe(word);
  expect(nearestName(word, [...long(100_000), word])).toBeUndefined();
  expect(nearestName('zebra', [...long(100_000), 'zebre'])).toBe('zebre');
});
