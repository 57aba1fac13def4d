import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, maximum, minimum, mul, reshape, shift, sub, sum, transpose } from '../../onnx/emit.ts';
import { type Node, real } from '../../onnx/graph.ts';
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
  oddities: {
    'pytorch-grad-cam':
      "A convolution's bias and that of the batch norm behind it count apart; an exporter that folds them into one leaves one.",
  },
  params: z.strictObject({}),
  build(subject, { height, width, layout, convention, tellScale }) {
    const { g, rows, gradients } = subject;
    const biased = biasedMaps(subject);
    const [slope, ...slopes] = gradients([rows, ...biased.map(({ node }) => node.outputs[0]!)]) as [
      Value,
      ...Value[],
    ];
    const atInput = transpose(g, mul(g, rows, slope), layout === 'NCHW' ? [0, 1, 2, 3] : [0, 3, 1, 2]);
    const terms = [atInput, ...slopes.map((s, i) => mul(g, s, biased[i]!.bias))];
    const maps = terms.map((term) => upsample(g, channelSum(g, g.emit('Abs', [term])), height, width));
    const whole = maps.reduce((a, b) => add(g, a, b));
    return convention === 'paper' ? minMaxed(g, whole, whole, tellScale) : minMax(g, whole, 1e-7);
  },
});

/** Σ_k of min-maxed channels, [N, h, w]; resizing commutes with the sum. */
function channelSum(g: GraphBuilder, maps: Value): Value {
  const low = sub(g, maps, minimum(g, maps, [2, 3]));
  return sum(g, div(g, low, shift(g, maximum(g, low, [2, 3]), 1e-7)), [1], false);
}

/** The nodes that add a bias to feature maps, with that bias [C, 1, 1]. */
function biasedMaps({ g, nodes }: Subject): { node: Node; bias: Value }[] {
  const perChannel = (v: Value) => reshape(g, v, [g.shape(v)[0]!, 1, 1]);
  const maps = nodes.filter(({ outputs }) => g.knows(outputs[0]!) && g.shape(outputs[0]!).length === 4);
  return maps.flatMap((node) => {
    if (node.op === 'Conv' && node.inputs[2]) return [{ node, bias: perChannel(node.inputs[2]) }];
    if (node.op !== 'BatchNormalization') return [];
    const [, gamma, beta, mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
    const deviation = g.emit('Sqrt', [shift(g, variance, real(node, 'epsilon', 1e-5))]);
    return [{ node, bias: perChannel(sub(g, beta, div(g, mul(g, mean, gamma), deviation))) }];
  });
}
