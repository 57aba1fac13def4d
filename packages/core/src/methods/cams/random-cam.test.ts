import { expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';
import { uniform } from '../shared/random.ts';

/** Three maps, `maps`: the image, twice the image, and the image turned over; averaged. */
const network = networkOf([1, 2, 2], (layer, image, g) => {
  const maps = layer('maps', 'Conv', [image, g.floats([3, 1, 1, 1], [1, 2, -1])]);
  return layer('scores', 'Flatten', [layer('mean', 'GlobalAveragePool', [maps])]);
});
const image = float32([1, 1, 2, 2], [1, 2, -3, 4]);
const parameters = { normalized: false };
const mapOf = async (spec: object, aux = {}) => {
  const { attribution } = await explain(
    network,
    { method: 'random-cam', layers: ['maps'], ...spec },
    image,
    [0],
    {
      aux,
    },
  );
  return [...attribution.data];
};

it('weighs the maps with what is recorded, and keeps what is positive', async () => {
  const weights = float32([1, 3], [0.5, -0.25, -0.75]); // 0.5 - 0.5 + 0.75 of the image
  expect(await mapOf({ parameters }, { weights })).toEqual([0.75, 1.5, 0, 3]);
});

it('draws weights between -1 and 1', async () => {
  for (const seed of [0, 1, 2, 3]) {
    const [a, b, c] = [0, 1, 2].map((k) => 2 * uniform(seed, k) - 1) as [number, number, number];
    const map = image.data.map((v) => Math.max(0, (a + 2 * b - c) * v));
    (await mapOf({ parameters: { ...parameters, seed } })).forEach((v, i) => {
      expect(v).toBeCloseTo(map[i]!, 5);
    });
  }
});

it('has the same weights for a seed, others for another, and refuses those of another layer', async () => {
  const drawn = (seed: number) => mapOf({ parameters: { ...parameters, seed } });
  expect(await drawn(1)).toEqual(await drawn(1));
  expect(await drawn(1)).not.toEqual(await drawn(2));
  await expect(mapOf({ parameters }, { weights: float32([1, 2], [1, 1]) })).rejects.toThrow(
    'aux "weights": expected float32 [samples, 3], got float32 [1, 2]',
  );
});
