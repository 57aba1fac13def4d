import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { getOwn } from '../../own.ts';
import { defineMethod } from '../method.ts';
import { camDefaults, camOnly, camOutput, camParams } from '../shared/cam.ts';
import { noiseMade, perRow, seedParam } from '../shared/noise.ts';
import { weighted } from './gradient-cam.ts';

/**
 * Smooth Grad-CAM++: Grad-CAM++ with gradients averaged over noisy copies of the image.
 *
 *     map = ReLU(Σ_k w_k A_k),   w_k = Σ_ij α ReLU(Ḡ),   α = mean G² / (2 mean G² + Σ_ab(mean G³ · A)_ab + 1e-8)
 *
 * Means are over the copies, Ḡ = mean G, A is of the image itself. torchcam uses G of the last copy as Ḡ, and A of the
 * last copy as the weighted A.
 *
 * @see Omeiza et al., "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique", 2019
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'smooth-grad-cam-plus-plus', parameters: { num_samples: 3, std: 0.1 } },
 *   runtime,
 * )
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
  deviations: {
    torchcam:
      'The gradient and the activations that are weighted are those of the last noisy copy, not means or of the image itself.',
  },
  parameters: z.strictObject({
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
  sampled: true,
  aux: ['noise'],
  // torchcam uses activations and gradients of the last copy, the paper activations of the image and mean gradients.
  explain({ image, layers, aux, at, over }, setting) {
    const { num_samples: count, std, seed } = setting.parameters;
    const noise = noiseMade(seed, count, setting.inputShape, aux);
    const isLast = perRow(Array.from({ length: count }, (_, s) => Number(s === count - 1)));
    const share = perRow(Array<number>(count).fill(1 / count));
    const ofLast = setting.convention === 'torchcam';
    const sums = over({ noise, share, isLast }, ({ noise, share, isLast }) => {
      const copies = at(image.add(noise.mul(std)));
      const slopes = copies.gradients(copies.layers);
      return Object.fromEntries(
        slopes.flatMap((slope, i) => {
          const square = slope.square();
          const total = (value: Expression, counts: Expression) => value.mul(counts).sum([0]);
          return [
            [`square${i}`, total(square, share)],
            [`cube${i}`, total(square.mul(slope), share)],
            [`slope${i}`, total(slope, ofLast ? isLast : share)],
            ...(ofLast ? [[`activation${i}`, total(copies.layers[i]!, isLast)] as const] : []),
          ];
        }),
      );
    });
    const maps = layers.map((clean, i) => {
      const of = (name: string) => getOwn(sums, `${name}${i}`)!;
      const [square, slope] = [of('square'), of('slope')];
      const crossed = of('cube').mul(clean).sum([2, 3]);
      const alpha = square.div(square.mul(2).add(crossed).add(1e-8));
      return weighted(alpha.mul(slope.relu()).sum([2, 3]), ofLast ? of('activation') : clean);
    });
    return camOutput(maps, setting);
  },
});
