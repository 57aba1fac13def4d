import { expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { counting, explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';

it('FullGrad passes over a batch normalisation that is not of feature maps', async () => {
  const network = (normalised: boolean) =>
    networkOf([2, 3, 3], (layer, image, g) => {
      const map = layer('map', 'Conv', [
        image,
        g.constant(float32([2, 2, 1, 1], [1, 2, -1, 3]), 'w'),
        g.constant(float32([2], [0.5, -0.5]), 'b'),
      ]);
      const flat = layer('flat', 'Flatten', [
        layer('pool', 'GlobalAveragePool', [layer('relu', 'Relu', [map])]),
      ]);
      const parameters = ['scale', 'shift', 'mean', 'variance'].map((name, i) =>
        g.constant(float32([2], i === 0 || i === 3 ? [1, 1] : [0, 0]), name),
      );
      return normalised
        ? layer('bn', 'BatchNormalization', [flat, ...parameters], { epsilon: { float: 0 } })
        : flat;
    });
  const image = counting([1, 2, 3, 3]);
  const [plain, normalised] = await Promise.all(
    [false, true].map((bn) => explain(network(bn), { method: 'full-grad' }, image, [1])),
  );
  expect([...normalised!.attribution.data]).toEqual([...plain!.attribution.data]);
});
