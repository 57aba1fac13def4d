import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camOutput, mapParams } from '../shared/cam.ts';

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
 * @example createExplainer(classifier, { method: 'attention-rollout', parameters: { head_fusion: 'max' } }, runtime)
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
  parameters: z.strictObject({
    ...mapParams,
    head_fusion: z.enum(['mean', 'max', 'min']).default('mean').describe("How a block's heads become one"),
  }),
  explain({ logits, transformer }, setting) {
    const { blocks, grid, prefix, suffix, tokenAxis } = transformer();
    const sides = logits.of(blocks[0]!.output).shape;
    const [rows, tokens] = [sides[1 - tokenAxis]!, sides[tokenAxis]!];
    const itself = logits.floats(
      [tokens, tokens],
      Float32Array.from({ length: tokens * tokens }, (_, i) => Number(i % (tokens + 1) === 0)),
    );
    const mixing = blocks.map((block) => {
      const weights = logits.of(block.weights);
      const heads = weights.shape.length === 3 ? weights.shape[0]! / rows : weights.shape[1]!;
      const split = weights.reshape([rows, heads, tokens, tokens]);
      const both = split[setting.parameters.head_fusion]([1], false).add(itself);
      return both.div(both.sum([2]));
    });
    const rollout = mixing.reduce((before, block) => block.matmul(before));
    /** The class token is the first, or the last of those behind the patches. */
    const at = prefix > 0 ? 0 : suffix > 0 ? tokens - 1 : undefined;
    const read = at === undefined ? rollout.mean([1]) : rollout.slice(1, at, at + 1);
    return camOutput([read.slice(2, prefix, tokens - suffix).reshape([rows, ...grid])], setting);
  },
});
