import { describe, expect, it } from 'vitest';
import { golden, hasRealGoldens, realGolden } from '../image/golden.ts';
import { float32, type Tensor } from '../tensor.ts';
import type { Sign } from './attribution.ts';
import { minMax, normalize, pixelsToMap } from './attribution.ts';

describe.skipIf(golden === null)('as Captum records it', () => {
  const attribution = () => {
    const { shape, data } = golden!['captum.attr']!;
    return float32([1, ...shape], Float32Array.from(data));
  };
  const cases = (['all', 'positive', 'negative', 'absolute'] as const).flatMap((sign) =>
    [0, 2, 10].map((outlierPercent): [Sign, number] => [sign, outlierPercent]),
  );

  it.each(cases)('normalises sign %s, outlier_perc %i', (sign, outlierPercent) => {
    const recorded =
      golden![`captum.norm.${sign === 'absolute' ? 'absolute_value' : sign}.${outlierPercent}`]!;
    const map = pixelsToMap(attribution(), { sign, outlierPercent, layout: 'NHWC' });
    expect(map).toMatchObject({ width: 5, height: 4 });
    // Where Captum raised for want of an index, the scale is the largest magnitude.
    const expected =
      'data' in recorded
        ? recorded.data
        : golden![`captum.norm.${sign === 'absolute' ? 'absolute_value' : sign}.2`]!.data;
    expect([...map.data]).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  });
});

describe.skipIf(!hasRealGoldens)('as Captum records it on a photo', () => {
  const recorded = (what: string) =>
    realGolden(`resnet18_ktb/both/captum.IG.gausslegendre50.zero.t242.${what}`) as Tensor<'float32'>;

  it.each(['all', 'positive', 'negative', 'absolute'] as const)('sign %s, outlier_perc 2', (sign) => {
    const { data } = pixelsToMap(recorded('attr'), { sign });
    const name = sign === 'absolute' ? 'absolute_value' : sign;
    const expected = recorded(`visual_norm_${name}_outlier2`).data;
    const worst = Math.max(...data.map((value, i) => Math.abs(value - expected[i]!)));
    expect(worst).toBeLessThan(1e-5);
  });
});

describe('normalize', () => {
  const values = Float32Array.of(-4, 1, 1, 2, 92);

  it('clips what lies beyond the outliers’ share', () => {
    // Magnitudes 1 1 2 4 92 sum to 100; 8 % beyond: the scale is 92's. 92 % beyond: 4.
    expect([...normalize(values, { outlierPercent: 0 })]).toEqual(
      [...values].map((v) => Math.fround(v / 92)),
    );
    expect([...normalize(values, { outlierPercent: 92 })]).toEqual([-1, 0.25, 0.25, 0.5, 1]);
  });

  it('gives zeros where nothing has the wanted sign, and for attributions that are all zero', () => {
    expect([...normalize(Float32Array.of(1, 2), { sign: 'negative' })]).toEqual([0, 0]);
    expect([...normalize(new Float32Array(3))]).toEqual([0, 0, 0]);
  });

  it('refuses an invalid percentage', () => {
    expect(() => normalize(values, { outlierPercent: 101 })).toThrow(/within 0..100; got 101/);
  });
});

describe('pixelsToMap', () => {
  it('sums channels wherever they lie', () => {
    const planes = float32([1, 3, 1, 2], [1, 2, 3, 4, 5, -10]);
    const pixels = float32([1, 1, 2, 3], [1, 3, 5, 2, 4, -10]);
    const expected = [1, Math.fround(-4 / 9)];
    expect([...pixelsToMap(planes, { outlierPercent: 0 }).data]).toEqual(expected);
    expect([...pixelsToMap(pixels, { outlierPercent: 0, layout: 'NHWC' }).data]).toEqual(expected);
  });

  it('refuses a batch', () => {
    expect(() => pixelsToMap(float32([2, 1, 1, 1], [1, 2]))).toThrow(/got \[2,1,1,1\]/);
  });
});

it('minMax scales to 0..1, and a constant to zeros', () => {
  expect([...minMax(Float32Array.of(-1, 0, 3))]).toEqual([0, 0.25, 1].map((v) => expect.closeTo(v, 6)));
  expect([...minMax(Float32Array.of(5, 5))]).toEqual([0, 0]);
});
