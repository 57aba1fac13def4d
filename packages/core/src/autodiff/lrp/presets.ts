import { base, type Composite } from './composite.ts';
import { alphaBeta, epsilon, flat, gamma, withoutBias, zBox, zPlus } from './linear-rules.ts';
import type { LinearRule } from './rule.ts';

// The composites of zennit, under the names that they have there.

export interface Knobs {
  /** ε of the ε-rule. */
  readonly epsilon: number;
  /** The ε of all other rules. */
  readonly stabilizer: number;
  readonly gamma: number;
  /** Parameters that count as zero. */
  readonly zeroParams: 'none' | 'bias';
}

export const presetNames = [
  'epsilon-plus',
  'epsilon-plus-flat',
  'epsilon-alpha2-beta1',
  'epsilon-alpha2-beta1-flat',
  'epsilon-gamma-box',
  'epsilon',
] as const;
export type PresetName = (typeof presetNames)[number];

/** The rule of convolutions, and that of the first layer if it has its own; dense layers have the ε-rule. */
const rules: Readonly<
  Record<PresetName, (knobs: Knobs) => { convolution: LinearRule; first?: LinearRule; firstDense?: boolean }>
> = {
  'epsilon-plus': ({ stabilizer }) => ({ convolution: zPlus(stabilizer) }),
  'epsilon-plus-flat': ({ stabilizer }) => ({
    convolution: zPlus(stabilizer),
    first: flat(stabilizer),
    firstDense: true,
  }),
  'epsilon-alpha2-beta1': ({ stabilizer }) => ({ convolution: alphaBeta(2, 1, stabilizer) }),
  'epsilon-alpha2-beta1-flat': ({ stabilizer }) => ({
    convolution: alphaBeta(2, 1, stabilizer),
    first: flat(stabilizer),
    firstDense: true,
  }),
  'epsilon-gamma-box': ({ stabilizer, gamma: factor }) => ({
    convolution: gamma(factor, stabilizer),
    first: zBox(stabilizer),
  }),
  epsilon: (knobs) => ({ convolution: epsilon(knobs.epsilon) }),
};

export function preset(name: PresetName, knobs: Knobs): Composite {
  const { convolution, first, firstDense } = rules[name](knobs);
  const withParameters = (rule: LinearRule) => (knobs.zeroParams === 'bias' ? withoutBias(rule) : rule);
  return [
    ...base(knobs.stabilizer),
    ...(first
      ? [
          {
            to: firstDense ? (['convolution', 'dense'] as const) : (['convolution'] as const),
            first: true,
            rule: withParameters(first),
          },
        ]
      : []),
    { to: ['convolution'], rule: withParameters(convolution) },
    { to: ['dense'], rule: withParameters(epsilon(knobs.epsilon)) },
  ];
}
