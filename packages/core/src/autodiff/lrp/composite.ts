import type { Node } from '../../onnx/graph.ts';
import type { CanonicalForm } from './canonical.ts';
import { epsilon } from './linear-rules.ts';
import {
  asGradient,
  centred,
  pass,
  softmaxTaylor,
  toNumerator,
  uniform,
  unlessZero,
} from './operator-rules.ts';
import type { Kind } from './operators.ts';
import type { LinearRule, Rule } from './rule.ts';

/** A rule, and the kinds it is for; with `first`, only the first layer of these kinds in the network's order. */
export interface Assignment {
  readonly to: readonly Kind[];
  readonly first?: boolean;
  readonly rule: Rule;
}

/** Rules with their assignments; an operator has the rule of the first assignment that it matches. */
export type Composite = readonly Assignment[];

/**
 * The rules of operators without weights in every composite. From zennit: activations pass relevance, sums and averages
 * share it by contribution (Norm there), maxima give it to the greatest element, and a batch normalisation that is part
 * of no layer passes it. From AttnLRP: softmax, products of moving values, and the other normalisations.
 */
export const base = (stabilizer: number): Composite => [
  { to: ['activation', 'scaling'], rule: pass },
  { to: ['factor'], rule: unlessZero },
  { to: ['movement'], rule: asGradient },
  { to: ['sum'], rule: epsilon(stabilizer) },
  { to: ['product'], rule: uniform(stabilizer) },
  { to: ['quotient'], rule: toNumerator },
  { to: ['softmax'], rule: softmaxTaylor },
  { to: ['centering'], rule: centred(stabilizer) },
];

/** Finds the rule of a node. */
export function ruleOf(composite: Composite, kind: Kind, isFirst: (kinds: readonly Kind[]) => boolean): Rule {
  const found = composite.find(({ to, first }) => to.includes(kind) && (!first || isFirst(to)));
  if (!found) throw new Error(`the composite has no rule for ${kind}`);
  return found.rule;
}

/** Whether a node is the first layer of some kinds. */
export const isFirstOf =
  ({ layers }: CanonicalForm, { outputs: [output] }: Node) =>
  (kinds: readonly Kind[]): boolean =>
    [...layers.values()].find(({ kind }) => kinds.includes(kind))?.node.outputs[0] === output;

export const isLinearRule = (rule: Rule): rule is LinearRule => typeof rule === 'object';
