import { z } from 'zod';
import { add, div, matmul, maximum, mean, minimum, reshape, slice, sum } from '../../onnx/emit.ts';
import { defineMethod } from '../method.ts';
import { camOutput, camParams } from '../shared/cam.ts';

const over = { mean, max: maximum, min: minimum } as const;

/**
 * Attention rollout: how much of each patch is in the class token, if attention is what mixes tokens, and half of
 * each token stays itself.
 *
 *     R = Â_L ⋯ Â_2 Â_1,   Â_l = rows of (A_l + I) divided by their sums,   A_l the mean of the block's heads
 *
 * The map is the class token's row of R at the patches; without such a token, the mean of all rows. It is the same
 * for every class.
 *
 * @see Abnar & Zuidema, "Quantifying Attention Flow in Transformers", 2020
 */
export const attentionRollout = defineMethod({
  id: 'attention-rollout',
  title: 'Attention rollout',
  summary: 'Which patches a transformer attends to through all of its blocks, the same for every class.',
  paper: 'https://arxiv.org/abs/2005.00928',
  version: '1',
  kind: 'map',
  needs: ['attention'],
  conventions: ['paper'],
  params: z.strictObject({
    normalized: camParams.normalized,
    head_fusion: z.enum(['mean', 'max', 'min']).default('mean').describe("How a block's heads become one"),
  }),
  build(subject, setting) {
    const { g } = subject;
    const { blocks, grid, prefix, suffix, tokenAxis } = subject.transformer();
    const sides = g.shape(blocks[0]!.output);
    const [rows, tokens] = [sides[1 - tokenAxis]!, sides[tokenAxis]!];
    const itself = g.floats(
      [tokens, tokens],
      Float32Array.from({ length: tokens * tokens }, (_, i) => Number(i % (tokens + 1) === 0)),
    );
    const mixing = blocks.map(({ weights }) => {
      const shape = g.shape(weights);
      const heads = shape.length === 3 ? shape[0]! / rows : shape[1]!;
      const split = reshape(g, weights, [rows, heads, tokens, tokens]);
      const both = add(g, over[setting.params.head_fusion](g, split, [1], false), itself);
      return div(g, both, sum(g, both, [2]));
    });
    const rollout = mixing.reduce((before, block) => matmul(g, block, before));
    /** The class token is the first, or the last of those behind the patches. */
    const at = prefix > 0 ? 0 : suffix > 0 ? tokens - 1 : undefined;
    const read = at === undefined ? mean(g, rollout, [1]) : slice(g, rollout, 1, at, at + 1);
    return camOutput(g, [reshape(g, slice(g, read, 2, prefix, tokens - suffix), [rows, ...grid])], setting);
  },
});
