import type { Expression } from '../../onnx/expression.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import type { Canonical } from './canonical.ts';

// The types of rules of layer-wise relevance propagation. Names are those of zennit.

/** The replacement of a layer's input x. `low` and `high` are the least and the greatest value of a pixel. */
export type InputOf = 'unchanged' | 'positive' | 'negative' | 'one' | 'low' | 'high';

/**
 * The replacement of a layer's weights w, and of its bias: w, max(w, 0), min(w, 0), w², 1, or w + γ·max(w, 0) and
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
  /** Whether the term is subtracted: low and high of the z-B rule. */
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
  /** The sign of the denominator, if it is the same for every input. */
  readonly denominator?: 'positive' | 'negative';
}

/**
 * The rule of a linear operator as data: the relevance of an input is the sum over the parts. The denominator
 * is kept away from zero: stabilised(z) = z + stabilizer · sign z, with sign 0 = 1.
 */
export interface LinearRule {
  readonly parts: readonly Part[];
  readonly stabilizer: number;
}

/**
 * A function by which an operator passes relevance on: `dy` of the context is the relevance of the output.
 *
 * @param whole the node with the nodes that are part of it, if it is a normalisation that subtracts a mean
 */
export type OperatorRule = (c: RuleContext, whole?: Canonical) => Expression;

export type Rule = LinearRule | OperatorRule;
