import { z } from 'zod';
import { defineMethod } from '../method.ts';
import { camOutput, mapParams } from '../shared/cam.ts';
import { mixedBy, tokenMixing } from './token-mixing.ts';

/**
 * Attention rollout: how much of each patch is in the class token, if only attention mixes tokens, and half of each
 * token stays unchanged.
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
  explain(subject, setting) {
    const { weights, itself, byHead, read } = tokenMixing(subject);
    const mixing = weights.map((block) => {
      const both = byHead(block)[setting.parameters.head_fusion]([1], false).add(itself);
      return both.div(both.sum([2]));
    });
    return camOutput([read(mixedBy(mixing))], setting);
  },
});
