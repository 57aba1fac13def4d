import { z } from 'zod';
import type { Value } from '../../onnx/builder.ts';
import type { Expression } from '../../onnx/expression.ts';
import { real } from '../../onnx/graph.ts';
import { defineMethod, type Subject } from '../method.ts';
import { minMax, minMaxed, upsample } from '../shared/cam.ts';

/**
 * FullGrad: the evidence of the input and of every bias.
 *
 *     map = minmax(Σ_c ψ(|x ⊙ ∂y/∂x|) + Σ_l Σ_k ψ(|b_l,k ∂y/∂z_l,k|))
 *
 * over the convolutions and batch normalisations with output z and bias b; ψ min-maxes a channel and resizes it to
 * the input. A batch normalisation's bias is β - μγ/√(σ² + ε).
 *
 * @see Srinivas & Fleuret, "Full-Gradient Representation for Neural Network Visualization", 2019
 * @example createExplainer(classifier, { method: 'full-grad' }, runtime)
 */
export const fullGrad = defineMethod({
  id: 'full-grad',
  title: 'FullGrad',
  summary: 'The evidence of the input and of all biases of the network, together.',
  paper: 'https://arxiv.org/abs/1905.00780',
  version: '1',
  kind: 'map',
  needs: ['gradient'],
  conventions: ['paper', 'pytorch-grad-cam'],
  deviations: {
    'pytorch-grad-cam':
      "A convolution's bias and that of the batch norm behind it count apart; an exporter that folds them into one leaves one.",
  },
  parameters: z.strictObject({}),
  explain(subject, { height, width, layout, convention, tellScale }) {
    const { image, gradients } = subject;
    const biased = biasedMaps(subject);
    const [slope, ...slopes] = gradients([image, ...biased.map(({ map }) => map)]) as [
      Expression,
      ...Expression[],
    ];
    const atInput = image.mul(slope).transpose(layout === 'NCHW' ? [0, 1, 2, 3] : [0, 3, 1, 2]);
    const terms = [atInput, ...slopes.map((s, i) => s.mul(biased[i]!.bias))];
    const maps = terms.map((term) => upsample(channelSum(term.abs()), height, width));
    const whole = maps.reduce((a, b) => a.add(b));
    return convention === 'paper' ? minMaxed(whole, whole, tellScale) : minMax(whole, 1e-7);
  },
});

/** Sums min-maxed channels, [N, h, w]; resizing commutes with the sum. */
function channelSum(maps: Expression): Expression {
  const low = maps.sub(maps.min([2, 3]));
  return low.div(low.max([2, 3]).add(1e-7)).sum([1], false);
}

/** Lists feature maps that a node adds a bias to, with that bias [C, 1, 1]. */
function biasedMaps({ image, nodes }: Subject): { map: Expression; bias: Expression }[] {
  const { g } = image;
  const perChannel = (v: Expression) => v.reshape([v.shape[0]!, 1, 1]);
  const isMap = (v: Value) => g.knows(v) && g.shape(v).length === 4;
  return nodes.flatMap((node) => {
    const inputs = node.inputs.map((name) => image.of(name));
    const map = image.of(node.outputs[0]!);
    if (!isMap(map.name)) return [];
    if (node.op === 'Conv' && node.inputs[2]) return [{ map, bias: perChannel(inputs[2]!) }];
    if (node.op !== 'BatchNormalization') return [];
    const [, gamma, beta, mean, variance] = inputs as [
      Expression,
      Expression,
      Expression,
      Expression,
      Expression,
    ];
    const deviation = variance.add(real(node, 'epsilon', 1e-5)).sqrt();
    return [{ map, bias: perChannel(beta.sub(mean.mul(gamma).div(deviation))) }];
  });
}
