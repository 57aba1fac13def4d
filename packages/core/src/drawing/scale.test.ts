import { expect, test } from 'vitest';
import { float32 } from '../tensor.ts';
import { percentiles, scaleAttribution, valuesOf } from './scale.ts';

/** Nine by eight pixels of three channels, of which one pixel counts. */
function spot(order: 'NCHW' | 'NHWC') {
  const data = new Float32Array(3 * 9 * 8);
  const [row, column] = [6, 2];
  for (let c = 0; c < 3; c++)
    data[order === 'NCHW' ? (c * 9 + row) * 8 + column : (row * 8 + column) * 3 + c] = 1;
  return float32(order === 'NCHW' ? [1, 3, 9, 8] : [1, 9, 8, 3], data);
}

test.each(['NCHW', 'NHWC'] as const)('pixels with their channels as in %s lie where they are', (order) => {
  const { values } = valuesOf({ attribution: spot(order), layout: 'NCHW', isPixels: true });
  expect([values.width, values.height]).toEqual([8, 9]);
  expect(values.data.indexOf(Math.max(...values.data))).toBe(6 * 8 + 2);
});

const pixels = (values: readonly number[]) => ({
  attribution: float32([1, 1, 1, values.length], values),
  layout: 'NCHW' as const,
  isPixels: true,
});
const map = (values: readonly number[]) => ({
  attribution: float32([1, 1, values.length], values),
  layout: 'NCHW' as const,
  isPixels: false,
});

test('a signed attribution is for and against, one without a sign a magnitude, and a map what is for the class', () => {
  const shown = [pixels([-1, 2]), pixels([0, 2]), map([0, 1]), map([-1, 1])].map(
    (explained) => scaleAttribution(explained).shown,
  );
  expect(shown).toEqual(['both', 'magnitude', 'for', 'both']);
});

test('the end of the colours is a value of the attribution itself, at the percentile that the scale states', () => {
  const values = Array.from({ length: 200 }, (_, i) => (i + 1) / 100);
  const { end, endPercentile } = scaleAttribution(pixels(values));
  expect([end, endPercentile]).toEqual([Math.fround(1.98), 99]);
  expect(scaleAttribution(map(values))).toMatchObject({ end: 2, endPercentile: 100 });
});

test('a few pixels among many zeros still have an end', () => {
  const values = Array.from({ length: 500 }, (_, i) => (i === 7 ? 3 : 0));
  expect(scaleAttribution(pixels(values))).toMatchObject({ end: 3, endPercentile: 100 });
  expect(scaleAttribution(pixels([0, 0]))).toMatchObject({ end: 0 });
});

test('hiding the weakest changes neither the end nor a value', () => {
  const values = [0.1, -0.2, 0.3, -0.4];
  const all = scaleAttribution(map(values));
  const some = scaleAttribution(map(values), { clip: [50, 100] });
  expect(some).toEqual({ ...all, hiddenTo: Math.fround(0.2), hiddenPercentile: 50 });
});

test('says what the numbers are: parts of the score, shares of a map, or the method’s own', () => {
  const units = [{ ...pixels([1, 2]), addsUp: true }, map([0, 1]), map([0, 7]), pixels([1, 2])].map(
    (explained) => scaleAttribution(explained).unit,
  );
  expect(units).toEqual(['score', 'share', 'own', 'own']);
});

test('percentiles are magnitudes that so many percent of the values do not exceed', () => {
  const values = Float32Array.from([-4, 1, 2, -3]);
  expect(percentiles(values, 0, 100)).toEqual([0, 4]);
  expect(percentiles(values, 50, 75)).toEqual([2, 3]);
  expect(percentiles(values, 51, 100)).toEqual([3, 4]);
});
