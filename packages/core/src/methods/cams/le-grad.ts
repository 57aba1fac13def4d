import { z } from 'zod';
import { readOut } from '../../layers/attention.ts';
import { mean, relu, reshape, scale, slice } from '../../onnx/emit.ts';
import { defineMethod } from '../method.ts';
import { camOutput, camParams } from '../shared/cam.ts';

/**
 * LeGrad: how the score of each block of a transformer moves with the block's attention.
 *
 *     map = 1/L Σ_l 1/(heads·T) Σ_h,q ReLU(∂s_l/∂A_l)_h,q,   s_l = readout(mean over tokens of block l's output)
 *
 * A_l [N, heads, T, T] is the attention after Softmax, q the tokens that look; those that are looked at, without the
 * class token, are the map's places. The readout is the network after its last block: final normalisation and head.
 *
 * @see Bousselham et al., "LeGrad: An Explainability Method for Vision Transformers via Feature Formation Sensitivity", 2024
 */
export const leGrad = defineMethod({
  id: 'le-grad',
  title: 'LeGrad',
  summary: 'How the score moves with the attention of each block of a transformer.',
  paper: 'https://arxiv.org/abs/2404.03214',
  version: '1',
  kind: 'map',
  needs: ['gradient', 'attention'],
  conventions: ['paper', 'torchcam'],
  oddities: {
    torchcam: 'Tokens are averaged before the final normalisation, the class token among them.',
  },
  logitsOnly: true,
  params: z.strictObject({
    normalized: camParams.normalized,
    blocks: z.int().min(0).default(0).describe('How many of the last blocks count; 0 is all'),
  }),
  build(subject, setting) {
    const { g, chosen, logits } = subject;
    const { blocks, grid, prefix, suffix, tokenAxis } = subject.transformer();
    const last = blocks.at(-1)!.output;
    const used = blocks.slice(-setting.params.blocks);
    const maps = used.map(({ weights, output }) => {
      const pooled = g.emit('Expand', [mean(g, output, [tokenAxis]), g.emit('Shape', [output])]);
      const scores = readOut(g, last, logits, pooled);
      const slope = subject.gradients([weights], { seeds: new Map([[scores, chosen]]) })[0]!;
      const [rows, tokens] = [1 - tokenAxis, tokenAxis].map((axis) => g.shape(output)[axis]!) as [
        number,
        number,
      ];
      const heads = g.shape(slope).length === 3 ? g.shape(slope)[0]! / rows : g.shape(slope)[1]!;
      const moved = mean(g, relu(g, reshape(g, slope, [rows, heads, tokens, tokens])), [1, 2], false);
      return reshape(g, slice(g, moved, 1, prefix, tokens - suffix), [rows, ...grid]);
    });
    return camOutput(g, [scale(g, g.emit('Sum', maps), 1 / maps.length)], setting);
  },
});
