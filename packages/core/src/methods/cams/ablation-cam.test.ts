import { expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';

const wave = (...shape: number[]) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(1.7 * i + 1)),
  );

/** Two maps `early`, two `late` that are made of them, all four averaged and weighed 1, 2, 3, 4: late meets early. */
const dense = networkOf([1, 3, 3], (layer, image, g) => {
  const early = layer('early', 'Relu', [
    layer('c1', 'Conv', [image, g.constant(wave(2, 1, 3, 3), 'w1')], { pads: [1, 1, 1, 1] }),
  ]);
  const late = layer('late', 'Relu', [
    layer('c2', 'Conv', [early, g.constant(wave(2, 2, 3, 3), 'w2')], { pads: [1, 1, 1, 1] }),
  ]);
  const both = layer('both', 'Concat', [early, late], { axis: 1 });
  const flat = layer('flat', 'Flatten', [layer('mean', 'GlobalAveragePool', [both])]);
  return layer('scores', 'Gemm', [flat, g.floats([4, 1], [1, 2, 3, 4])]);
});

it('evaluates what comes after a layer beside what passes it by', async () => {
  const image = wave(1, 1, 3, 3);
  const parameters = { normalized: false };
  const map = await explain(dense, { method: 'ablation-cam', layers: ['late'], parameters }, image, [0]);
  const late = await explain(
    dense,
    { method: 'layer-activation', convention: 'captum', layers: ['late'] },
    image,
    [0],
  );
  const score = map.logits.data[0]!;
  const channel = (k: number) => [...late.attribution.data.subarray(9 * k, 9 * k + 9)];
  const share = (k: number) => ((3 + k) * channel(k).reduce((a, b) => a + b)) / 9 / score;
  const expected = channel(0).map((v, i) => Math.max(0, share(0) * v + share(1) * channel(1)[i]!));
  for (const [i, value] of expected.entries()) expect(map.attribution.data[i]).toBeCloseTo(value, 5);
});
