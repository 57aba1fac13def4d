import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camOutput, mapParams } from '../shared/cam.ts';
import { mixedBy, tokenMixing } from './token-mixing.ts';

/**
 * Chefer's attention relevance: how much each patch passes to the class token by attention that raises the class score.
 *
 *     R = (I + Ā_L) ⋯ (I + Ā_2)(I + Ā_1),   Ā_l = mean over heads of ReLU(A_l ⊙ ∂y_c/∂A_l)
 *
 * The map is the class token's row of R at the patches; without such a token, the mean of all rows. This is the rule
 * for self-attention in the second of the authors' papers, which needs no LRP.
 *
 * @see Chefer, Gur & Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers", 2021
 * @example createExplainer(classifier, { method: 'chefer' }, runtime)
 */
export const chefer = defineMethod({
  id: 'chefer',
  title: "Chefer's attention relevance",
  summary: 'Which patches reach the class token of a transformer by attention that raises the score.',
  paper: 'https://arxiv.org/abs/2103.15679',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'attention'],
  conventions: ['paper'],
  parameters: z.strictObject(mapParams),
  explain(subject, setting) {
    const { weights, itself, byHead, read } = tokenMixing(subject);
    const slopes = subject.gradients(weights);
    const mixing = weights.map((block, i) =>
      byHead(block.mul(slopes[i]!)).relu().mean([1], false).add(itself),
    );
    return camOutput([read(mixedBy(mixing))], setting);
  },
});
