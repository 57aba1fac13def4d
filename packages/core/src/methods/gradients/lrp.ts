import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { lrpDefaults, lrpInstead, lrpOddities, lrpOnly, lrpParams, relevanceAt } from './relevance.ts';

/**
 * Layer-wise relevance propagation: the score is shared out from layer to layer, [N, C, H, W]. The class's logit is
 * the initial relevance, so that for one class the result is the logit times the result of an initial relevance of 1.
 *
 * A rule passes the relevance R_j of a layer's outputs z_j = Σ_i x_i w_ij + b_j to its inputs; a composite assigns
 * rules to layers. The default is zennit's EpsilonPlus, the z⁺-rule for convolutions and the ε-rule for dense layers:
 *
 *     z⁺:  R_i = Σ_j (x_i⁺w_ij⁺ + x_i⁻w_ij⁻) R_j / (Σ_i (x_i⁺w_ij⁺ + x_i⁻w_ij⁻) + b_j⁺ + ε)
 *     ε:   R_i = Σ_j x_i w_ij R_j / (z_j + ε·sign z_j)
 *
 * with x⁺ = max(x, 0), x⁻ = min(x, 0). The ε-rule alone, as ε goes to 0, is input × gradient for networks of ReLUs.
 * Batch normalisations count as part of the layer before them. Activations pass relevance on, sums and averages share
 * it by contribution, a maximum gives it to the greatest element; softmax, products of moving values and normalisations
 * have the rules of AttnLRP. Biases (unless zero_params=bias), softmax, layer normalisation and stabilisers take
 * relevance, which is otherwise conserved.
 *
 * @see Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", 2015
 * @see Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019
 * @see Anders et al., "Software for Dataset-wide XAI: From Local Explanations to Global Insights with Zennit, CoRelAy, and ViRelAy", 2021
 * @see Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers", 2024
 * @example createExplainer(classifier, { method: 'lrp', parameters: { composite: 'epsilon' } }, runtime)
 */
export const lrp = defineMethod({
  id: 'lrp',
  title: 'Layer-wise relevance propagation',
  summary: 'The score shared out backwards, from each layer to the one before, by contribution.',
  paper: 'https://doi.org/10.1371/journal.pone.0130140',
  version: '2',
  kind: 'pixels',
  axioms: ['dummy', 'linearity'],
  needs: ['gradient'],
  conventions: ['paper', 'captum'],
  deviations: lrpOddities,
  logitsOnly: true,
  parameters: z.strictObject(lrpParams),
  defaults: lrpDefaults,
  only: lrpOnly,
  instead: lrpInstead,
  explain: (subject, setting) => relevanceAt(subject, [subject.image], setting)[0]!,
});
