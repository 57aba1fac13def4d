import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { defineMethod, type Method } from '../method.ts';
import { baselineParam } from '../shared/baseline.ts';
import { countOf, noiseMade, seedParam } from '../shared/noise.ts';
import { pathParams } from '../shared/quadrature.ts';
import { deconvolution } from './deconvolution.ts';
import { withoutRelu } from './guided.ts';
import { guidedBackprop } from './guided-backprop.ts';
import { inputXGradient } from './input-x-gradient.ts';
import { integratedGradients } from './integrated-gradients.ts';
import { saliency } from './saliency.ts';

const bases = {
  saliency,
  'input-x-gradient': inputXGradient,
  'guided-backprop': guidedBackprop,
  deconvolution,
  'integrated-gradients': integratedGradients,
} as const;

const params = z.strictObject({
  base: z
    .enum(Object.keys(bases) as (keyof typeof bases)[])
    .default('saliency')
    .describe('The method that is averaged; without ReLU guided-backprop and deconvolution are the gradient'),
  nt_samples: z.int().min(1).default(25).describe('Noisy copies of the image'),
  stdevs: z
    .number()
    .min(0)
    .default(0.3)
    .describe("Standard deviation of the noise, in the network's own space"),
  abs: z.boolean().default(false).describe('base=saliency: absolute value of the gradient'),
  ...pathParams,
  baseline: baselineParam,
  seed: seedParam,
});
type TunnelParams = z.infer<typeof params>;

/** What a tunnel makes of Σ a and Σ a² over n noisy copies. */
type Summary = (first: Expression, second: Expression, n: number) => Expression;

/** A method that explains noisy copies of the image by a gradient method, and sums them up. */
export const noiseTunnel = (
  described: Pick<Method, 'id' | 'title' | 'summary' | 'paper'>,
  summary: Summary,
): Method =>
  defineMethod<TunnelParams>({
    ...described,
    version: '1',
    kind: 'pixels',
    axioms: ['dummy', 'implementation invariance'],
    remarksOn: (network, { params: { base } }) =>
      base === 'guided-backprop' || base === 'deconvolution'
        ? withoutRelu(`base=${base}`, 'base=saliency with abs=false')(network)
        : [],
    needs: ['gradient'],
    conventions: ['paper', 'captum'],
    oddities: {
      captum: 'Noise has a standard deviation of 1 unless said, and saliency goes in as absolute values.',
    },
    params,
    defaults: { captum: { nt_samples: 5, stdevs: 1, abs: true } },
    sampled: true,
    aux: ['noise'],
    explain({ image, aux, at, over }, setting) {
      const { base, nt_samples, stdevs, seed } = setting.params;
      const method = bases[base];
      const noise = noiseMade(seed, nt_samples, setting.inputShape, aux);
      const { first, second } = over(
        { noise, counts: countOf(nt_samples) },
        ({ noise, counts }) => {
          const copies = at(image.add(noise.mul(stdevs)));
          const attribution = method.explain({ ...copies, aux: {} }, { ...setting, tellScale: undefined });
          const counted = attribution.mul(counts);
          return { first: counted.sum([0]), second: counted.mul(attribution).sum([0]) };
        },
        { oneByOne: method.sampled === true },
      );
      return summary(first, second, nt_samples);
    },
  });
