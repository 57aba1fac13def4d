import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, mul, relu, reshape, scale, shift, sum } from '../../onnx/emit.ts';
import { getOwn } from '../../own.ts';
import { float32, stacked } from '../../tensor.ts';
import { defineMethod, type Values } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { noiseMade, seedParam } from '../shared/noise.ts';

/**
 * Smooth Grad-CAM++: Grad-CAM++ with gradients averaged over noisy copies of the image.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = Σ_ij α ReLU(Ḡ),   α = mean G² / (2 mean G² + Σ_ab(mean G³ · A)_ab + 1e-8)
 *
 * Means are over the copies, Ḡ = mean G, A of the image itself. torchcam takes G and A of the last copy for Ḡ and
 * for the A that is weighted.
 *
 * @see Omeiza et al., "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique", 2019
 */
export const smoothGradCamPlusPlus = defineMethod({
  id: 'smooth-grad-cam-plus-plus',
  title: 'Smooth Grad-CAM++',
  summary: 'Grad-CAM++ averaged over noisy copies of the image.',
  paper: 'https://arxiv.org/abs/1908.01224',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'layer'],
  conventions: ['paper', 'torchcam'],
  oddities: {
    torchcam:
      'The gradient and the activations that are weighted are those of the last noisy copy, not means or of the image itself.',
  },
  params: z.strictObject({
    ...camParams,
    num_samples: z.int().min(1).default(4).describe('Noisy copies'),
    std: z
      .number()
      .min(0)
      .default(0.3)
      .describe("Standard deviation of the noise, in the network's own space"),
    seed: seedParam,
  }),
  defaults: camDefaults,
  only: camOnly,
  aux: ['noise'],
  // The image itself comes first, without noise.
  samples({ params: { num_samples: count, seed }, inputShape }, aux) {
    const noise = noiseMade(seed, count, inputShape, aux);
    const clean = float32([1, ...inputShape], new Float32Array(inputShape.reduce((a, b) => a * b)));
    const column = (f: (s: number) => number) =>
      float32(
        [count + 1],
        Array.from({ length: count + 1 }, (_, s) => f(s)),
      );
    return {
      noise: {
        dtype: 'float32',
        shape: [count + 1, ...inputShape],
        make: (start, end) => {
          const drawn = end > 1 ? [noise.make(Math.max(start, 1) - 1, end - 1)] : [];
          return stacked([...(start === 0 ? [clean] : []), ...drawn]);
        },
      },
      clean: column((s) => Number(s === 0)),
      copy: column((s) => (s === 0 ? 0 : 1 / count)),
      last: column((s) => Number(s === count)),
    };
  },
  rows: (g, image, { noise }, { params }) =>
    add(g, image, g.emit('Unsqueeze', [scale(g, noise!, params.std), g.ints([0])])),
  each({ g, layers, gradients, split }, { clean, copy, last }, { convention }) {
    const slopes = gradients(layers).map(split);
    const activations = layers.map(split);
    const total = (value: Value, share: Value) => {
      const samples = g.shape(share)[0]!;
      return sum(g, mul(g, value, reshape(g, share, [1, samples, 1, 1, 1])), [1], false);
    };
    const chosen = convention === 'torchcam' ? last! : undefined;
    return Object.fromEntries(
      layers.flatMap((_, i) => {
        const [slope, activation] = [slopes[i]!, activations[i]!];
        const square = mul(g, slope, slope);
        return [
          [`square${i}`, total(square, copy!)],
          [`cube${i}`, total(mul(g, square, slope), copy!)],
          [`slope${i}`, total(slope, chosen ?? copy!)],
          [`clean${i}`, total(activation, clean!)],
          [`activation${i}`, total(activation, chosen ?? clean!)],
        ];
      }),
    );
  },
  finish(g, _, given, setting) {
    return camOutput(
      g,
      setting.layerShapes.map((_, i) => mapOf(g, given, i)),
      setting,
    );
  },
});

function mapOf(g: GraphBuilder, given: Values, i: number): Value {
  const [square, cube, slope, clean, activation] = ['square', 'cube', 'slope', 'clean', 'activation'].map(
    (name) => getOwn(given, `${name}${i}`)!,
  ) as [Value, Value, Value, Value, Value];
  const crossed = sum(g, mul(g, cube, clean), [2, 3]);
  const alpha = div(g, square, shift(g, add(g, scale(g, square, 2), crossed), 1e-8));
  const weights = sum(g, mul(g, alpha, relu(g, slope)), [2, 3]);
  return sum(g, mul(g, weights, activation), [1], false);
}
