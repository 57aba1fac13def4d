import { z } from 'zod';
import type { Expression } from '../../onnx/expression.ts';
import { gradCam } from '../cams/grad-cam.ts';
import { gradCamElementWise } from '../cams/grad-cam-element-wise.ts';
import { gradCamPlusPlus } from '../cams/grad-cam-plus-plus.ts';
import { hiResCam } from '../cams/hi-res-cam.ts';
import { layerCam } from '../cams/layer-cam.ts';
import { xGradCam } from '../cams/x-grad-cam.ts';
import { defineMethod, type Method, type Setting } from '../method.ts';
import { baselineParam } from '../shared/baseline.ts';
import { countOf, noiseMade, seedParam } from '../shared/noise.ts';
import { pathParams } from '../shared/quadrature.ts';
import { deconvolution } from './deconvolution.ts';
import { withoutRelu } from './guided.ts';
import { guidedBackprop } from './guided-backprop.ts';
import { inputXGradient } from './input-x-gradient.ts';
import { integratedGradients } from './integrated-gradients.ts';
import { saliency } from './saliency.ts';

/** The methods that can be averaged: methods of one evaluation each, and integrated gradients. */
const bases = {
  saliency,
  'input-x-gradient': inputXGradient,
  'guided-backprop': guidedBackprop,
  deconvolution,
  'integrated-gradients': integratedGradients,
  'grad-cam': gradCam,
  'grad-cam-plus-plus': gradCamPlusPlus,
  'x-grad-cam': xGradCam,
  'layer-cam': layerCam,
  'hi-res-cam': hiResCam,
  'grad-cam-element-wise': gradCamElementWise,
} as const satisfies Record<string, Method>;

const parameters = z.strictObject({
  base: z
    .enum(Object.keys(bases) as (keyof typeof bases)[])
    .default('saliency')
    .describe(
      'The method that is averaged; without ReLU guided-backprop and deconvolution are the gradient; maps are averaged as they are, neither min-maxed before nor after',
    ),
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
type TunnelParams = z.infer<typeof parameters>;

/** A function that computes the attribution from Σ a and Σ a² over n noisy copies. */
type Summary = (first: Expression, second: Expression, n: number) => Expression;

/** Makes a method that explains noisy copies of the image by a gradient method, and summarises their attributions. */
export const noiseTunnel = (
  described: Pick<Method, 'id' | 'title' | 'summary' | 'paper'>,
  summary: Summary,
): Method =>
  defineMethod<TunnelParams>({
    ...described,
    version: '1',
    kind: 'pixels',
    axioms: ['dummy', 'implementation invariance'],
    exceptions({ parameters: { base } }) {
      const has = bases[base].axioms ?? [];
      const lacking = (['dummy', 'implementation invariance'] as const).filter(
        (axiom) => !has.includes(axiom),
      );
      return Object.fromEntries(lacking.map((axiom) => [axiom, `base=${base} has it not`]));
    },
    remarksOn: (network, { parameters: { base } }) =>
      base === 'guided-backprop' || base === 'deconvolution'
        ? withoutRelu(`base=${base}`, 'base=saliency with abs=false')(network)
        : [],
    needs: ['gradient'],
    conventions: ['paper', 'captum'],
    deviations: {
      captum: 'Noise has a standard deviation of 1 unless said, and saliency goes in as absolute values.',
    },
    parameters,
    defaults: { captum: { nt_samples: 5, stdevs: 1, abs: true } },
    sampled: true,
    aux: ['noise'],
    base: ({ base }) => bases[base],
    explain(subject, setting) {
      const { image, aux, at, over } = subject;
      const { base, nt_samples, stdevs, seed } = setting.parameters;
      const method: Method = bases[base];
      const own = settingOf(method, setting);
      const noise = noiseMade(seed, nt_samples, setting.inputShape, aux);
      const { first, second } = over(
        { noise, counts: countOf(nt_samples) },
        ({ noise, counts }) => {
          const attribution = method.explain(at(image.add(noise.mul(stdevs))), own);
          const [copies, ...rest] = attribution.shape as [number, ...number[]];
          const counted = attribution.mul(counts.reshape([copies, ...rest.map(() => 1)]));
          return { first: counted.sum([0]), second: counted.mul(attribution).sum([0]) };
        },
        { oneByOne: method.sampled === true },
      );
      return summary(first, second, nt_samples);
    },
  });

/** Gives the setting of the base: the tunnel's parameters that the base has; single maps are not normalised. */
function settingOf(method: Method, setting: Setting<TunnelParams>): Setting<unknown> {
  const names = Object.keys((method.parameters as unknown as z.ZodObject).shape);
  const given = Object.entries({ ...setting.parameters, normalized: false });
  const parameters = method.parameters.parse(
    Object.fromEntries(given.filter(([name]) => names.includes(name))),
  );
  const convention = method.conventions.includes(setting.convention) ? setting.convention : 'paper';
  return { ...setting, parameters, convention, tellScale: undefined };
}
