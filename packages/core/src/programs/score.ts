import { gradientRules } from '../autodiff/gradient.ts';
import type { Expression } from '../onnx/expression.ts';
import type { VjpRules } from '../operators/vjp/rule.ts';
import { classScore } from './class-score.ts';

/** What the network says of some rows. */
export interface NetworkOutputs {
  /** [rows, classes] */
  readonly logits: Expression;
  /** What is explained of each class, [rows, classes]. */
  readonly scored: Expression;
  /** How much each class counts, [rows, classes]. */
  readonly chosen: Expression;
  /** Of scores over a region: maps [rows, classes, H, W], and how much each pixel of them counts. */
  readonly weighed?: { readonly maps: Expression; readonly weights: Expression } | undefined;
  /** The class of each row [rows], where `chosen` is one class each. */
  readonly target?: Expression | undefined;
}

/** One number per row of what the network gives: what is explained. */
export interface Score {
  /** What the score is the sum of, with its factors. */
  terms(): { readonly values: Expression; readonly factors: Expression };
  /** [rows, 1] */
  value(): Expression;
  /**
   * Σ ⟨seed, y⟩ over these pairs is the sum of the score over the rows.
   *
   * @param wanted in what it is differentiated, which may leave a shorter way to the score
   */
  seeds(wanted: readonly Expression[], rules: VjpRules): ReadonlyMap<Expression, Expression>;
}

/** Σ_c w_c y_c: the score of a class, or of a weighted sum of classes. */
export function scoreOfClasses({ logits, scored, chosen, weighed, target }: NetworkOutputs): Score {
  let single: ReturnType<typeof classScore>;
  const isShort = target !== undefined && scored.name === logits.name;
  const terms = () =>
    weighed
      ? { values: weighed.maps, factors: chosen.unsqueeze(2, 3).mul(weighed.weights) }
      : { values: scored, factors: chosen };
  return {
    terms,
    value: () => scored.mul(chosen).sum([1]),
    seeds(wanted, rules) {
      if (isShort && rules === gradientRules) {
        single ??= classScore(logits.g, logits.name, target.name);
        const score = single && logits.of(single.score);
        if (score && !wanted.some(({ name }) => single!.without.has(name)))
          return new Map([[score, score.onesLike()]]);
      }
      // The weights of a region are no part of what is explained, which rules for products would share it with.
      const { values, factors } = terms();
      return new Map([[values, factors]]);
    },
  };
}
