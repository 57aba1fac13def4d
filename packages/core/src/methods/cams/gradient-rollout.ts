import { z } from 'zod';
import { appliedAll, type Expression } from '../../onnx/expression.ts';
import { defineMethod } from '../method.ts';
import { camOutput, mapParams } from '../shared/cam.ts';
import { mixedBy, tokenMixing } from './token-mixing.ts';

/**
 * Gradient-weighted attention rollout: attention rollout with each block's attention weighted by the score's gradient.
 *
 *     R = Â_L ⋯ Â_2 Â_1,   Â_l = rows of (Ā_l + I) divided by their sums,   Ā_l = ReLU(mean over heads of A_l ⊙ ∂y_c/∂A_l)
 *
 * In each Ā, the `discard_ratio` smallest values are 0. The map is the class token's row of R at the patches; without
 * such a token, the mean of all rows. vit-explain pairs the first block's attention with the last block's gradient, and
 * divides columns by the sums of rows; here each block has its own gradient, each row its own sum, as its text says.
 *
 * @see `VITAttentionGradRollout` of vit-explain; Abnar & Zuidema, "Quantifying Attention Flow in Transformers", 2020
 * @example createExplainer(classifier, { method: 'gradient-rollout', parameters: { discard_ratio: 0.5 } }, runtime)
 */
export const gradientRollout = defineMethod({
  id: 'gradient-rollout',
  title: 'Gradient-weighted attention rollout',
  summary: 'Which patches a transformer attends to through all of its blocks, as far as it raises the score.',
  paper: 'https://github.com/jacobgil/vit-explain',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'attention'],
  conventions: ['paper'],
  parameters: z.strictObject({
    ...mapParams,
    discard_ratio: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe("Share of each block's attention that is left out, the smallest"),
  }),
  explain(subject, setting) {
    const { weights, itself, byHead, read } = tokenMixing(subject);
    const slopes = subject.gradients(weights);
    const mixing = weights.map((block, i) => {
      const weighted = byHead(block.mul(slopes[i]!)).mean([1], false).relu();
      const both = largest(weighted, setting.parameters.discard_ratio).add(itself);
      return both.div(both.sum([2]));
    });
    return camOutput([read(mixedBy(mixing))], setting);
  },
});

/** Sets the given share of the values of matrices [N, T, T], the smallest, to 0. */
function largest(matrices: Expression, discarded: number): Expression {
  const [rows, tokens] = matrices.shape as [number, number];
  const count = Math.floor(tokens * tokens * discarded);
  if (count === 0) return matrices;
  const flat = matrices.reshape([rows, tokens * tokens]);
  const [smallest] = appliedAll('TopK', [flat, flat.ints([count])], { axis: 1, largest: 0 }, 2) as [
    Expression,
  ];
  const threshold = smallest.max([1]).reshape([rows, 1, 1]);
  return matrices.gate(matrices.isGreater(threshold));
}
