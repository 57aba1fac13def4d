import { expect, test } from 'vitest';
import { result } from '../testing/session.ts';
import { agreementsOf } from './agreement.ts';

const map = (values: readonly number[]) => ({
  ...result('grad-cam'),
  attribution: Float32Array.from(values),
  shape: [1, 2, 2],
});

test('maps agree by the order of their values: with themselves, with another scale, and not with the opposite', () => {
  const own = map([1, 2, 3, 4]);
  const [same, scaled, opposite] = agreementsOf(own, [own, map([10, 20, 30, 40]), map([4, 3, 2, 1])]);
  expect([same, scaled, opposite]).toEqual([expect.closeTo(1), expect.closeTo(1), expect.closeTo(-1)]);
});

test('of pixels the magnitude counts, as in an evaluation', () => {
  const pixels = (values: readonly number[]) => ({
    ...map(values),
    shape: [1, 1, 2, 2],
    kind: { isPixels: true, addsUp: false },
  });
  expect(agreementsOf(pixels([1, -2, 3, -4]), [pixels([-1, 2, -3, 4])])).toEqual([expect.closeTo(1)]);
});
