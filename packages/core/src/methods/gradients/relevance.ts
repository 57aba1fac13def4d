import { z } from 'zod';
import { captumRelevanceRules } from '../../autodiff/captum-relevance.ts';
import { relevanceRules } from '../../autodiff/lrp/index.ts';
import { preset, presetNames } from '../../autodiff/lrp/presets.ts';
import type { Expression } from '../../onnx/expression.ts';
import type { Convention, Setting, Subject } from '../method.ts';
import { pixelBound } from '../shared/baseline.ts';

// What lrp and layer-lrp have in common: parameters, and the relevance that arrives at values.

const bound = (name: 'black' | 'white') =>
  z.union([z.literal(name), z.number(), z.array(z.number())]).default(name);

export const lrpParams = {
  composite: z
    .enum(presetNames)
    .default('epsilon-plus')
    .describe('Which rule convolutions and the first layer have; dense layers have epsilon'),
  epsilon: z
    .number()
    .positive()
    .default(1e-6)
    .describe('What small sums of the epsilon rule are held away from zero with'),
  stabilizer: z.number().positive().default(1e-6).describe('The same of all other rules'),
  gamma: z
    .number()
    .min(0)
    .default(0.25)
    .describe('How much more contributions of the favoured sign count by the gamma rule'),
  low: bound('black').describe(
    'epsilon-gamma-box: the least value of a pixel, in normalised space: black ((0 - mean)/std), a number, or one per channel',
  ),
  high: bound('white').describe(
    'epsilon-gamma-box: the greatest value of a pixel: white ((1 - mean)/std), or numbers',
  ),
  zero_params: z
    .enum(['none', 'bias'])
    .default('none')
    .describe('bias: biases count as zero, so that they take no relevance'),
  rule: z
    .enum(['epsilon', 'gamma', 'alpha1-beta0', 'identity'])
    .default('epsilon')
    .describe('How convolutions and linear layers share relevance out'),
  first: z
    .int()
    .min(0)
    .default(0)
    .describe('How many of the first layers with weights have the rule, the rest have epsilon; 0 is all'),
};

const ofCaptum: readonly Convention[] = ['captum'];
const ofPaper: readonly Convention[] = ['paper'];
export const lrpOnly = {
  composite: ofPaper,
  stabilizer: ofPaper,
  low: ofPaper,
  high: ofPaper,
  zero_params: ofPaper,
  rule: ofCaptum,
  first: ofCaptum,
};
export const lrpInstead = {
  rule: 'composite says which rule each kind of layer has',
  first:
    'a composite such as epsilon-plus-flat or epsilon-gamma-box has a rule of its own for the first layer',
};
export const lrpDefaults = { captum: { epsilon: 1e-9 } } as const;
export const lrpOddities = {
  captum:
    'Has one rule for all convolutions and linear layers (or for the first of them), epsilon with 1e-9 unless another is asked for, which on a network of ReLUs is input × gradient. Activations pass relevance as their gradient says, and a batch normalisation is a layer of its own.',
};

export type LrpParams = z.infer<z.ZodObject<typeof lrpParams>>;

/** The relevance of values, of their shapes. */
export function relevanceAt(
  { image, terms, nodes, gradients }: Subject,
  wanted: readonly Expression[],
  setting: Setting<LrpParams>,
): Expression[] {
  const { parameters, convention } = setting;
  const { g } = image;
  if (convention === 'captum') {
    // What travels there is relevance over value.
    const ratios = gradients(wanted, { rules: captumRelevanceRules(nodes, parameters) });
    return wanted.map((value, i) => value.mul(ratios[i]!));
  }
  const composite = preset(parameters.composite, { ...parameters, zeroParams: parameters.zero_params });
  const bound = (name: 'low' | 'high') => {
    const value = pixelBound(image, name, parameters[name], setting);
    return typeof value === 'number' ? image.number(value) : value;
  };
  const pixels = () => ({ low: bound('low'), high: bound('high') });
  const { values, factors } = terms;
  const network = { g, image: image.name, scores: values.name, nodes };
  return gradients(wanted, {
    seeds: new Map([[values, factors.mul(values)]]),
    rules: relevanceRules(network, composite, pixels),
  });
}
