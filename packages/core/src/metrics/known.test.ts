import { describe, expect, it } from 'vitest';
import { float32, type Tensor } from '../tensor.ts';
import {
  area,
  confidenceChange,
  deletionInsertion,
  imputed,
  infidelity,
  maxSensitivity,
  pointsAt,
  rankCorrelation,
  relevanceMass,
  road,
} from './index.ts';
import { percentile } from './road.ts';

// What follows from the definitions, on networks that are a line of code.

const rows = ({ shape, data }: Tensor<'float32'>): number[][] => {
  const size = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, n) => Array.from(data.subarray(n * size, (n + 1) * size)));
};
const linear =
  (...weights: number[]) =>
  async (images: Tensor<'float32'>) =>
    rows(images).map((values) => values.reduce((sum, v, i) => sum + v * weights[i % weights.length]!, 0));

const pair = float32([1, 1, 1, 2], [1, 1]);

describe('deletion and insertion', () => {
  // The vectors of torchcam's own tests: a score of 0.7 and 0.3 for two pixels.
  it('deletes the first pixel first: [1, 0.3, 0], area 0.4; [0, 0.7, 1], area 0.6', async () => {
    const curves = await deletionInsertion(linear(0.7, 0.3), pair, [1, 0], { steps: 2 });
    expect(curves.fractions).toEqual([0, 0.5, 1]);
    expect(curves.deletion).toEqual([1, 0.3, 0].map((v) => expect.closeTo(v, 7)));
    expect(curves.insertion).toEqual([0, 0.7, 1].map((v) => expect.closeTo(v, 7)));
    expect([curves.deletionAuc, curves.insertionAuc]).toEqual([0.4, 0.6].map((v) => expect.closeTo(v, 7)));
  });

  it('takes equal pixels in their order, and a shorter last step', async () => {
    const image = float32([1, 1, 1, 3], [1, 1, 1]);
    const { fractions, deletion } = await deletionInsertion(linear(1, 10, 100), image, [5, 5, 5], {
      steps: 2,
    });
    expect(fractions).toEqual([0, 2 / 3, 1]);
    expect(deletion).toEqual([111, 100, 0]);
  });

  it('changes all channels of a pixel, wherever they lie', async () => {
    const image = float32([1, 1, 2, 3], [1, 2, 4, 8, 16, 32]);
    const { deletion } = await deletionInsertion(linear(1), image, [0, 1], { steps: 2, layout: 'NHWC' });
    expect(deletion).toEqual([63, 7, 0]);
  });

  it('deletes to what it is told, and inserts into it', async () => {
    const deleted = float32([1, 1, 1, 2], [3, 3]);
    const curves = await deletionInsertion(linear(1), pair, [1, 0], { steps: 2, deleted });
    expect([curves.deletion, curves.insertion]).toEqual([
      [2, 4, 6],
      [6, 4, 2],
    ]);
  });

  it('refuses a map of another size', async () => {
    await expect(deletionInsertion(linear(1), pair, [1, 2, 3])).rejects.toThrow(
      /got \[1, 1, 1, 2\] and 3 values/,
    );
  });
});

describe('drop', () => {
  it('is 0.6 / (1 + 1e-7) where the map hides six tenths of a score of 1', async () => {
    const change = await confidenceChange(linear(0.6, 0.4), pair, [0, 1]);
    expect(change.drop).toBeCloseTo(0.6 / (1 + 1e-7), 7);
    expect(change.difference).toBeCloseTo(0.6, 7);
    expect(change.increase).toBe(0);
  });

  it('is zero where the score rises', async () => {
    const change = await confidenceChange(linear(1, -1), float32([1, 1, 1, 2], [1, 0.5]), [1, 0]);
    expect(change).toMatchObject({ drop: 0, difference: 0, increase: 1 });
  });
});

it('no confidence is gained where the score stays', async () => {
  expect(await confidenceChange(linear(1), pair, [1, 1])).toMatchObject({ drop: 0, increase: 0 });
});

describe('imputation', () => {
  it('fills each channel of an image that has them last as of one that has them first', () => {
    const values = Array.from({ length: 24 }, (_, i) => Math.sin(i * i));
    const last = values.map((_, i) => values[(i % 2) * 12 + Math.trunc(i / 2)]!);
    const kept = Array.from({ length: 12 }, (_, i) => i % 3 > 0);
    const first = imputed(float32([1, 2, 3, 4], values), kept);
    const found = imputed(float32([1, 3, 4, 2], last), kept, 'NHWC');
    expect(Array.from(found)).toEqual(last.map((_, i) => first[(i % 2) * 12 + Math.trunc(i / 2)]));
  });

  const ramp = float32(
    [1, 2, 9, 9],
    Array.from({ length: 162 }, (_, i) => (i < 81 ? (i % 9) + 2 * Math.trunc(i / 9) : 7)),
  );

  it('continues a ramp across a hole: a linear image is its own neighbours’ mean', () => {
    const kept = Array.from({ length: 81 }, (_, i) => Math.hypot((i % 9) - 4, Math.trunc(i / 9) - 4) > 2.5);
    const filled = imputed(
      float32(
        ramp.shape,
        ramp.data.map((v, i) => (kept[i % 81] ? v : -99)),
      ),
      kept,
    );
    expect(Array.from(filled)).toEqual(Array.from(ramp.data, (v) => expect.closeTo(v, 5)));
  });

  it('spreads the only pixel that is kept over the image', () => {
    const kept = Array.from({ length: 81 }, (_, i) => i === 30);
    const filled = imputed(ramp, kept);
    const only = ramp.data[30]!;
    expect(Array.from(filled)).toEqual(
      Array.from({ length: 162 }, (_, i) => expect.closeTo(i < 81 ? only : 7, 5)),
    );
  });

  it('leaves zeros where nothing is kept', () => {
    expect(imputed(pair, [0, 0])).toEqual(Float32Array.of(0, 0));
  });
});

describe('ROAD', () => {
  const image = float32(
    [1, 1, 6, 6],
    Array.from({ length: 36 }, (_, i) => (i === 14 ? 10 : 0)),
  );
  const map = Array.from({ length: 36 }, (_, i) => (i === 14 ? 1 : i / 100));

  it('finds the map that shows the only pixel that counts better than its opposite', async () => {
    const score = linear(...Array.from({ length: 36 }, (_, i) => (i === 14 ? 1 : 0)));
    const good = await road(score, image, map);
    const bad = await road(
      score,
      image,
      map.map((v) => 1 - v),
    );
    expect(good.combined).toBeGreaterThan(bad.combined);
    expect(good.combined).toBeCloseTo((good.leastRelevantFirst - good.mostRelevantFirst) / 2, 9);
  });

  it('draws the same noise from the same seed, and other noise from another', async () => {
    const of = (seed: number) => road(linear(1), image, map, { seed, noise: 1 });
    expect(await of(3)).toEqual(await of(3));
    expect(await of(4)).not.toEqual(await of(3));
  });

  it('has noise on what was filled only, and other noise at each percentile', async () => {
    const noisy: number[][] = [];
    const plain: number[][] = [];
    const watch = (seen: number[][]) => async (images: Tensor<'float32'>) => {
      seen.push(...rows(images));
      return rows(images).map(() => 0);
    };
    await road(watch(noisy), image, map, { noise: 1, percentiles: [50, 50] });
    await road(watch(plain), image, map, { noise: 0, percentiles: [50, 50] });
    const added = noisy.map((row, n) => row.map((v, i) => v - plain[n]![i]!));
    const middle = percentile(map, 50);
    expect(added[1]!.map((v) => v !== 0)).toEqual(map.map((v) => v >= middle));
    expect(added[1]).not.toEqual(added[2]);
  });

  it('takes percentiles as NumPy does', () => {
    expect([0, 25, 50, 90, 100].map((p) => percentile([4, 1, 3, 2], p))).toEqual(
      [1, 1.75, 2.5, 3.7, 4].map((v) => expect.closeTo(v, 9)),
    );
  });
});

describe('infidelity', () => {
  it('is zero for the weights of a linear network, and for a multiple of them once normalised', async () => {
    const score = linear(2, -3);
    expect(await infidelity(score, pair, [2, -3])).toBeCloseTo(0, 9);
    expect(await infidelity(score, pair, [20, -30])).toBeGreaterThan(0.01);
    expect(await infidelity(score, pair, [20, -30], { normalize: true })).toBeCloseTo(0, 9);
  });

  it('is the squared change for an attribution of zeros, which no factor serves', async () => {
    const perturbations = float32([1, 1, 1, 2], [1, 0]);
    const options = { perturbations, normalize: true };
    expect(await infidelity(linear(2, -3), pair, [0, 0], options)).toBeCloseTo(4, 5);
  });

  it('is the squared change for an attribution of zeros', async () => {
    const perturbations = float32([2, 1, 1, 2], [1, 0, 0, 2]);
    // Changes of 2·1 and -3·2: (4 + 36) / 2.
    expect(await infidelity(linear(2, -3), pair, [0, 0], { perturbations })).toBeCloseTo(20, 5);
  });
});

describe('sensitivity', () => {
  it('is zero for an explanation that never changes', async () => {
    expect(await maxSensitivity(async ({ shape }) => Array(shape[0]! * 2).fill(1), pair)).toBe(0);
  });

  it('is the largest relative change, and the absolute one where the explanation is zero', async () => {
    const neighbours = float32([2, 1, 1, 2], [1, 1.5, 4, 5]);
    const same = async ({ data }: Tensor<'float32'>) => data;
    expect(await maxSensitivity(same, pair, { neighbours })).toBeCloseTo(5 / Math.SQRT2, 6);
    const shifted = async ({ data }: Tensor<'float32'>) => data.map((v) => v - 1);
    expect(await maxSensitivity(shifted, pair, { neighbours })).toBeCloseTo(5, 6);
  });

  it('looks no farther than the radius', async () => {
    const far: number[] = [];
    const watch = async (images: Tensor<'float32'>) => {
      far.push(...images.data.map((v) => Math.abs(v - 1)));
      return images.data;
    };
    await maxSensitivity(watch, pair, { radius: 0.5, samples: 200 });
    expect(Math.max(...far)).toBeLessThanOrEqual(0.5);
    expect(Math.max(...far)).toBeGreaterThan(0.45);
  });

  it('looks on both sides of the image', async () => {
    const seen: number[] = [];
    const watch = async (images: Tensor<'float32'>) => {
      seen.push(...images.data.map((v) => v - 1));
      return images.data;
    };
    await maxSensitivity(watch, pair, { radius: 0.5, samples: 200 });
    expect(Math.min(...seen)).toBeLessThan(-0.45);
  });
});

describe('against a mask', () => {
  const map = [0, 5, -9, 1, 2, 2];
  const mask = [0, 0, 1, 1, 1, 0];

  it('points at the strongest pixel, within a tolerance if one is given', () => {
    expect(pointsAt(map, mask, { width: 3 })).toBe(false);
    expect(pointsAt(map, mask, { width: 3, tolerance: 1 })).toBe(true);
    // Pixel 3 begins the next line: it is no neighbour of pixel 2.
    expect(pointsAt([0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], { width: 3, tolerance: 1 })).toBe(false);
  });

  it('allows for a circle, not a square', () => {
    const strongest = [1, 0, 0, 0];
    expect(pointsAt(strongest, [0, 0, 0, 1], { width: 2, tolerance: 1 })).toBe(false);
    expect(pointsAt(strongest, [0, 0, 1, 0], { width: 2, tolerance: 1 })).toBe(true);
    expect(pointsAt(strongest, [0, 0, 0, 1], { width: 2, tolerance: 2 })).toBe(true);
  });

  it('weighs positive relevance only', () => {
    expect(relevanceMass(map, mask)).toBeCloseTo(3 / 10, 9);
    expect(relevanceMass([-1, 0], [1, 1])).toBe(0);
  });

  it('refuses a mask of another size', () => {
    expect(() => relevanceMass(map, [1])).toThrow(/expected 6 pixels as the map has, got 1/);
  });
});

it('areas are trapezoids over the fractions', () => {
  expect(area([0, 0.25, 1], [0, 1, 1])).toBeCloseTo(0.125 + 0.75, 9);
});

it('rank correlation is 1 for what rises together, -1 for the opposite, 0 for a constant', () => {
  expect(rankCorrelation([1, 2, 3], [10, 100, 1000])).toBeCloseTo(1, 9);
  expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 9);
  expect(rankCorrelation([1, 2, 3], [7, 7, 7])).toBe(0);
});
