import { z } from 'zod';
import { deconvolutionRules, guidedRules } from '../../autodiff/guided.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, mul, reshape, scale, sub, sum } from '../../onnx/emit.ts';
import { defineMethod, type Method, type SampledSubject, type Setting, type Values } from '../method.ts';
import { baselineOf, baselineParam, distance } from '../shared/baseline.ts';
import { countOf, noiseMade, seedParam } from '../shared/noise.ts';
import { pathParams, quadrature } from '../shared/quadrature.ts';
import { withoutRelu } from './guided.ts';

const params = z.strictObject({
  base: z
    .enum(['saliency', 'input-x-gradient', 'guided-backprop', 'deconvolution', 'integrated-gradients'])
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
type Summary = (g: GraphBuilder, first: Value, second: Value, n: number) => Value;

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
    aux: ['noise'],
    samples: ({ params: { nt_samples, seed }, inputShape }, aux) => ({
      noise: noiseMade(seed, nt_samples, inputShape, aux),
      counts: countOf(nt_samples),
    }),
    perSample: ({ params: { base, n_steps } }) => (base === 'integrated-gradients' ? n_steps : 1),
    rows(g, image, given, setting) {
      const noisy = noisyCopies(g, image, given, setting);
      return setting.params.base === 'integrated-gradients' ? pathRows(g, noisy, setting) : noisy;
    },
    each(subject, given, setting) {
      const { g } = subject;
      const samples = g.shape(given.counts!)[0]!;
      const attribution = attributionOf(subject, given, setting);
      const counted = mul(g, attribution, reshape(g, given.counts!, [1, samples, 1, 1, 1]));
      return {
        first: sum(g, counted, [1], false),
        second: sum(g, mul(g, counted, attribution), [1], false),
      };
    },
    finish: (g, _, { first, second }, { params: { nt_samples } }) => summary(g, first!, second!, nt_samples),
  });

/** x + σ·noise, [images, S, C, H, W]. */
const noisyCopies = (
  g: GraphBuilder,
  image: Value,
  { noise }: Values,
  { params }: Setting<TunnelParams>,
): Value => add(g, image, g.emit('Unsqueeze', [scale(g, noise!, params.stdevs), g.ints([0])]));

/** Points on the way from the baseline to each copy, [images, S · steps, C, H, W]. */
function pathRows(g: GraphBuilder, copies: Value, setting: Setting<TunnelParams>): Value {
  const { baseline, n_steps } = setting.params;
  const { alphas } = quadrature(setting.params.quadrature, n_steps);
  const [images, samples, ...shape] = g.shape(copies) as [number, number, ...number[]];
  const single = reshape(g, copies, [images, samples, 1, ...shape]);
  const way = mul(g, distance(g, single, baseline, setting), g.floats([n_steps, 1, 1, 1], alphas));
  const points = baseline === 'zero' ? way : add(g, way, baselineOf(g, single, baseline, setting));
  return reshape(g, points, [images, samples * n_steps, ...shape]);
}

/** The base method's attribution of each copy, [images, S, C, H, W]. */
function attributionOf(subject: SampledSubject, given: Values, setting: Setting<TunnelParams>): Value {
  const { g, image, rows, gradients, split } = subject;
  const { base, abs, n_steps, baseline } = setting.params;
  const rules = { 'guided-backprop': guidedRules, deconvolution: deconvolutionRules }[
    base as 'deconvolution'
  ];
  const gradient = split(gradients([rows], rules ? { rules } : {})[0]!);
  if (base === 'saliency') return abs ? g.emit('Abs', [gradient]) : gradient;
  if (base === 'input-x-gradient') return mul(g, gradient, split(rows));
  if (base !== 'integrated-gradients') return gradient;
  const { weights } = quadrature(setting.params.quadrature, n_steps);
  const [images, , ...shape] = g.shape(gradient) as [number, number, ...number[]];
  const samples = g.shape(given.counts!)[0]!;
  const steps = reshape(g, gradient, [images, samples, n_steps, ...shape]);
  const mean = sum(g, mul(g, steps, g.floats([n_steps, 1, 1, 1], weights)), [2], false);
  const copies = noisyCopies(g, g.emit('Unsqueeze', [image, g.ints([1])]), given, setting);
  return mul(g, mean, sub(g, copies, baselineOf(g, copies, baseline, setting)));
}
