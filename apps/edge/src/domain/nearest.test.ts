import { expect, test } from 'vitest';
import { didYouMean } from './nearest.ts';

test('a sentence suggests the nearest name; there is none where no name is near', () => {
  expect(didYouMean('grad-can', ['occlusion', 'grad-cam'])).toBe(' Did you mean "grad-cam"?');
  expect(didYouMean('banana', ['occlusion', 'grad-cam'])).toBe('');
  expect(didYouMean('', ['occlusion', 'grad-cam'])).toBe('');
});
