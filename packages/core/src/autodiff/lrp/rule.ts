import type { Expression } from '../../onnx/expression.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import type { Canonical } from './canonical.ts';

// What a rule of layer-wise relevance propagation is. Names are those of zennit.

/** What takes the place of a layer's input x. `low` and `high` are the least and the greatest that a pixel can be. */
export type InputOf = 'unchanged' | 'positive' | 'negative' | 'one' | 'low' | 'high';

/**
 * What takes the place of a layer's weights w, and of its bias: w, max(w, 0), min(w, 0), w², 1, or w + γ·max(w, 0) and
 * w + γ·min(w, 0).
 */
export type ParametersOf =
  | 'unchanged'
  | 'positive'
  | 'negative'
  | 'squared'
  | 'one'
  | { readonly gamma: number; readonly of: 'positive' | 'negative' };

/** z = Σ_i x_i w_ij + b_j with modified x, w and b. */
export interface Term {
  readonly input: InputOf;
  readonly parameters: ParametersOf;
  /** Whether the bias counts. */
  readonly bias: boolean;
  /** The term counts with a minus: the z-B rule's low and high. */
  readonly subtracted?: boolean;
}

/**
 * Terms that share one denominator:
 *
 *     R_i = share · Σ_t ± x_ti Σ_j w_tij R_j / stabilised(Σ_t ± z_tj)
 */
export interface Part {
  readonly terms: readonly Term[];
  readonly share: number;
  /** Only outputs of the unmodified layer that have this sign pass relevance through this part. */
  readonly where?: 'positive' | 'negative';
  /** The sign that the denominator has whatever the input is, where it has one. */
  readonly denominator?: 'positive' | 'negative';
}

/**
 * How a linear operator passes relevance on, in data: the relevance of an input is the sum over the parts. The denominator
 * is held away from zero: stabilised(z) = z + stabilizer · sign z, with sign 0 = 1.
 */
export interface LinearRule {
  readonly parts: readonly Part[];
  readonly stabilizer: number;
}

/**
 * How an operator passes relevance on: `dy` of the context is the relevance of the output.
 *
 * @param whole the node with what is part of it, of a normalisation that has such
 */
export type OperatorRule = (c: RuleContext, whole?: Canonical) => Expression;

export type Rule = LinearRule | OperatorRule;
