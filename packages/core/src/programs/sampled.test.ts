import { expect, it } from 'vitest';
import { float32 } from '../tensor.ts';
import { explain } from '../testing/explain.ts';
import { networkOf } from '../testing/network.ts';

/** Three scores, of which the first two are always equal and the third is always less. */
const network = networkOf([1, 2, 2], (layer, image, g) => {
  const maps = layer('maps', 'Conv', [image, g.floats([3, 1, 1, 1], [1, 1, 0.5])]);
  return layer('scores', 'Flatten', [layer('mean', 'GlobalAveragePool', [maps])]);
});
const image = float32([1, 1, 2, 2], [1, 2, 3, 4]);

it('predicts the first of equal scores, as one run of a graph does', async () => {
  const sampled = await explain(network, { method: 'integrated-gradients' }, image, [-1]);
  const direct = await explain(network, { method: 'saliency' }, image, [-1]);
  expect([sampled.targets, direct.targets]).toEqual([[0], [0]]);
});

it('refuses recorded samples of which there are none', async () => {
  const aux = { weights: float32([0, 3], []) };
  await expect(
    explain(network, { method: 'random-cam', layers: ['maps'] }, image, [0], { aux }),
  ).rejects.toThrow('aux "weights": expected one sample or more, got none');
});
