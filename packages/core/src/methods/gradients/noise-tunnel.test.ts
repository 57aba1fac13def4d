import { describe, expect, it } from 'vitest';
import type { ExplainerSpec } from '../../explainer.ts';
import { float32, row, type Tensor } from '../../tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork, tinyShape } from '../../testing/network.ts';
import { smoothGrad } from './smooth-grad.ts';

const image = row(tinyImages(), 0);
const size = image.data.length;
const copies = 3;
const stdevs = 0.2;
const noise = float32(
  [copies, ...tinyShape],
  Float32Array.from({ length: copies * size }, (_, i) => Math.sin(i * 2.3)),
);
const noisy = float32(
  [copies, ...tinyShape],
  noise.data.map((v, i) => image.data[i % size]! + stdevs * v),
);

/** The base method's own attribution of each copy. */
async function attributions(spec: ExplainerSpec): Promise<Tensor<'float32'>[]> {
  const { attribution } = await explain(tinyNetwork(), spec, noisy, [1, 1, 1]);
  return Array.from({ length: copies }, (_, n) => row(attribution, n));
}

const bases: readonly (readonly [
  base: string,
  own: Record<string, unknown>,
  tunnel: Record<string, unknown>,
])[] = [
  ['saliency', { abs: true }, { abs: true }],
  ['input-x-gradient', {}, {}],
  ['guided-backprop', {}, {}],
  ['integrated-gradients', { n_steps: 5, baseline: 0.1 }, { n_steps: 5, baseline: 0.1 }],
  ['grad-cam', { normalized: false }, {}],
  ['layer-cam', { normalized: false }, {}],
  ['grad-cam-plus-plus', { normalized: false }, {}],
];

describe.each(bases)('%s of noisy copies', (base, own, tunnel) => {
  const summed = async (method: string, memory?: number) => {
    const parameters = { base, nt_samples: copies, stdevs, ...tunnel };
    const { attribution } = await explain(tinyNetwork(), { method, parameters, memory }, image, [1], {
      aux: { noise },
    });
    return attribution;
  };

  it('is averaged, squared and averaged, and has its variance taken', async () => {
    const parts = await attributions({ method: base, parameters: own });
    const mean = parts[0]!.data.map((_, i) => parts.reduce((sum, { data }) => sum + data[i]!, 0) / copies);
    const square = parts[0]!.data.map(
      (_, i) => parts.reduce((sum, { data }) => sum + data[i]! ** 2, 0) / copies,
    );
    const of = (data: Float32Array) => float32(parts[0]!.shape, data);
    expectClose(await summed('smooth-grad'), of(mean));
    expectClose(await summed('smooth-grad', 1), of(mean));
    expectClose(await summed('smooth-grad-squared'), of(square));
    const variance = square.map((v, i) => v - mean[i]! ** 2);
    expectClose(await summed('var-grad'), of(variance), of(square));
  });
});

it('has as many bases as it says', () => {
  const { base } = (
    smoothGrad.parameters as unknown as { shape: Record<string, { unwrap(): { options: string[] } }> }
  ).shape;
  expect(base!.unwrap().options).toEqual(expect.arrayContaining(bases.map(([name]) => name)));
});
