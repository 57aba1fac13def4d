import type { LinearRule, Part, Term } from './rule.ts';

// The rules of linear operators. R is relevance, x the input, w weights, b the bias, z the output; x⁺ = max(x, 0),
// x⁻ = min(x, 0), the same of w and b. Sums run over the inputs i of an output j, and in the result over j.

const term = (
  input: Term['input'],
  parameters: Term['parameters'],
  bias: boolean,
  subtracted = false,
): Term => ({ input, parameters, bias, ...(subtracted && { subtracted }) });

/**
 * R_i = Σ_j x_i w_ij R_j / (z_j + ε·sign z_j)
 *
 * @see Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", 2015
 */
export const epsilon = (stabilizer: number): LinearRule => ({
  parts: [{ share: 1, terms: [term('unchanged', 'unchanged', true)] }],
  stabilizer,
});

/**
 * Contributions that have the sign of the output count γ times more. For z_j > 0
 *
 *     R_i = Σ_j (x_i⁺(w_ij + γw_ij⁺) + x_i⁻(w_ij + γw_ij⁻)) R_j / Σ_i (the same) + b_j + γb_j⁺
 *
 * and for z_j < 0 with w⁺ and w⁻, b⁺ and b⁻ exchanged. If z_j = 0, no relevance passes.
 *
 * @see Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019; for inputs of either sign Andéol et al., 2021
 */
export const gamma = (factor: number, stabilizer: number): LinearRule => {
  const more = (of: 'positive' | 'negative') => ({ gamma: factor, of }) as const;
  return {
    parts: [
      {
        share: 1,
        where: 'positive',
        terms: [term('positive', more('positive'), true), term('negative', more('negative'), false)],
      },
      {
        share: 1,
        where: 'negative',
        terms: [term('positive', more('negative'), true), term('negative', more('positive'), false)],
      },
    ],
    stabilizer,
  };
};

/**
 * α times the positive contributions minus β times the negative contributions, α - β = 1:
 *
 *     R_i = Σ_j (α (x_i⁺w_ij⁺ + x_i⁻w_ij⁻) / z_j⁺ - β (x_i⁺w_ij⁻ + x_i⁻w_ij⁺) / z_j⁻) R_j
 *     z_j⁺ = Σ_i (x_i⁺w_ij⁺ + x_i⁻w_ij⁻) + b_j⁺,   z_j⁻ = Σ_i (x_i⁺w_ij⁻ + x_i⁻w_ij⁺) + b_j⁻
 *
 * @see Bach et al., 2015
 */
export const alphaBeta = (alpha: number, beta: number, stabilizer: number): LinearRule => {
  const positive: Part = {
    share: alpha,
    denominator: 'positive',
    terms: [term('positive', 'positive', true), term('negative', 'negative', false)],
  };
  const negative: Part = {
    share: -beta,
    denominator: 'negative',
    terms: [term('positive', 'negative', true), term('negative', 'positive', false)],
  };
  return { parts: beta === 0 ? [positive] : [positive, negative], stabilizer };
};

/**
 * The αβ-rule with positive contributions only: α = 1, β = 0.
 *
 * @see Montavon et al., "Explaining Nonlinear Classification Decisions with Deep Taylor Decomposition", 2017
 */
export const zPlus = (stabilizer: number): LinearRule => alphaBeta(1, 0, stabilizer);

/**
 * The rule for pixels, which lie between l and h:
 *
 *     R_i = Σ_j (x_i w_ij - l_i w_ij⁺ - h_i w_ij⁻) R_j / Σ_i (the same)
 *
 * @see Montavon et al., 2017
 */
export const zBox = (stabilizer: number): LinearRule => ({
  parts: [
    {
      share: 1,
      terms: [
        term('unchanged', 'unchanged', true),
        term('low', 'positive', true, true),
        term('high', 'negative', true, true),
      ],
    },
  ],
  stabilizer,
});

/**
 * Shares relevance by the weights alone, whatever the input: R_i = Σ_j w_ij² R_j / (Σ_i w_ij² + b_j²)
 *
 * @see Montavon et al., 2017
 */
export const wSquare = (stabilizer: number): LinearRule => ({
  parts: [{ share: 1, denominator: 'positive', terms: [term('one', 'squared', true)] }],
  stabilizer,
});

/**
 * Shares relevance evenly over the inputs of each output: R_i = Σ_j R_j / (how many inputs j has)
 *
 * @see Lapuschkin et al., "Unmasking Clever Hans Predictors", 2019
 */
export const flat = (stabilizer: number): LinearRule => ({
  parts: [{ share: 1, denominator: 'positive', terms: [term('one', 'one', false)] }],
  stabilizer,
});

/** Gives the rule with all biases zero, so that they take no relevance. */
export const withoutBias = (rule: LinearRule): LinearRule => ({
  ...rule,
  parts: rule.parts.map((part) => ({ ...part, terms: part.terms.map((t) => ({ ...t, bias: false })) })),
});
