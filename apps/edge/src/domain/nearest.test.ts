import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

test('the nearest is guessed where it is near, and nothing else', () => {
  expect(didYouMean('grad-can', ['occlusion', 'grad-cam'])).toBe(' Did you mean "grad-cam"?');
  expect(nearest('zebra', ['horse', 'tiger'])).toBeNull();
});

test('of any number of names so many are compared that a request does not take seconds', () => {
  const long = (count: number) =>
    Array.from({ length: count }, (_, i) => String(i).padEnd(100, 'abcdefghij'));
  const word = 'z'.repeat(100);
  expect(nearest(word, [...long(900), word])).toBe(word);
  expect(nearest(word, [...long(100_000), word])).toBeNull();
  expect(nearest('zebra', [...long(100_000), 'zebre'])).toBe('zebre');
});
