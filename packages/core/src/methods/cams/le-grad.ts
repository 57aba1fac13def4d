import { z } from 'zod';
import { readOut } from '../../layers/attention.ts';
import { applied, type Expression } from '../../onnx/expression.ts';
import { defineMethod } from '../method.ts';
import { camOutput, mapParams } from '../shared/cam.ts';

/**
 * LeGrad: the gradient of the score of each transformer block with respect to the block's attention.
 *
 *     map = 1/L Σ_l 1/(heads·T) Σ_h,q ReLU(∂s_l/∂A_l)_h,q,   s_l = readout(mean over tokens of block l's output)
 *
 * A_l [N, heads, T, T] is the attention after Softmax, q the queries; the keys, without the class token, are
 * the map's places. The readout is the network after its last block: final normalisation and head.
 *
 * @see Bousselham et al., "LeGrad: An Explainability Method for Vision Transformers via Feature Formation Sensitivity", 2024
 * @example createExplainer(classifier, { method: 'le-grad', parameters: { blocks: 1 } }, runtime)
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
  deviations: {
    torchcam: 'Tokens are averaged before the final normalisation, the class token among them.',
  },
  logitsOnly: true,
  parameters: z.strictObject({
    ...mapParams,
    blocks: z.int().min(0).default(0).describe('How many of the last blocks count; 0 is all'),
  }),
  explain(subject, setting) {
    const { chosen, logits, gradients } = subject;
    const { blocks, grid, prefix, suffix, tokenAxis } = subject.transformer();
    const last = blocks.at(-1)!.output;
    const used = blocks.slice(-setting.parameters.blocks);
    const maps = used.map((block) => {
      const [weights, output] = [logits.of(block.weights), logits.of(block.output)];
      const pooled = output.mean([tokenAxis]).expandAs(output);
      const scores = logits.of(readOut(logits.g, last, logits.name, pooled.name));
      const [slope] = gradients([weights], { seeds: new Map([[scores, chosen]]) }) as [Expression];
      const [rows, tokens] = [1 - tokenAxis, tokenAxis].map((axis) => output.shape[axis]!) as [
        number,
        number,
      ];
      const heads = slope.shape.length === 3 ? slope.shape[0]! / rows : slope.shape[1]!;
      const moved = slope.reshape([rows, heads, tokens, tokens]).relu().mean([1, 2], false);
      return moved.slice(1, prefix, tokens - suffix).reshape([rows, ...grid]);
    });
    return camOutput([applied('Sum', maps).mul(1 / maps.length)], setting);
  },
});
