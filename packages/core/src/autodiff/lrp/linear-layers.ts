import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, mul, reshape, scale } from '../../onnx/emit.ts';
import { int, type Node, real } from '../../onnx/graph.ts';
import { vectorOf } from './affine.ts';
import type { Canonical } from './canonical.ts';

/** A layer with weights, as the rules see it. */
export interface LinearLayer extends Canonical {
  readonly kind: 'convolution' | 'dense';
  /** Which input the weights are. */
  readonly weights: 0 | 1;
}

export interface Parameters {
  readonly weights: Value;
  readonly bias: Value | undefined;
}

export const hasBias = ({ node, follows }: LinearLayer): boolean =>
  Boolean(node.inputs[2]) || follows.length > 0;

/** A layer's weights and bias with all that is part of it. */
export function parametersOf(g: GraphBuilder, { node, weights, follows }: LinearLayer): Parameters {
  const given = node.inputs[2] || undefined;
  const own: Parameters = {
    weights: scale(g, node.inputs[weights]!, node.op === 'Gemm' ? real(node, 'alpha', 1) : 1),
    bias: given && scale(g, given, node.op === 'Gemm' ? real(node, 'beta', 1) : 1),
  };
  return follows.reduce((before, affine) => {
    const { factor, shift } = vectorOf(g, affine);
    return {
      weights: factor
        ? mul(g, before.weights, alongOutputs(g, node, before.weights, factor))
        : before.weights,
      bias: shifted(g, factor && before.bias ? mul(g, before.bias, factor) : before.bias, shift),
    };
  }, own);
}

const shifted = (g: GraphBuilder, bias: Value | undefined, by: Value | undefined): Value | undefined =>
  bias && by ? add(g, bias, by) : (by ?? bias);

/** A number per output channel in the shape that meets the weights' axis of output channels. */
function alongOutputs(g: GraphBuilder, node: Node, weights: Value, factor: Value): Value {
  const rank = g.shape(weights).length;
  const behind =
    node.op === 'Conv' ? rank - 1 : node.op === 'ConvTranspose' ? rank - 2 : int(node, 'transB', 0);
  return reshape(g, factor, [g.shape(factor)[0]!, ...Array<number>(behind).fill(1)]);
}

/** The layer's output for another input, weights and bias. */
export function applied(
  g: GraphBuilder,
  { node, kind, weights }: LinearLayer,
  x: Value,
  { weights: w, bias }: Parameters,
): Value {
  const operands = weights === 1 ? [x, w] : [w, x];
  const { attributes } = plainNode(node);
  if (bias === undefined) return g.emit(node.op, operands, attributes);
  if (kind === 'convolution') return g.emit(node.op, [...operands, bias], attributes);
  return add(g, g.emit(node.op, operands, attributes), bias);
}

/** The node without factors of its own, which its parameters have already. */
export function plainNode(node: Node): Node {
  const { alpha: _alpha, beta: _beta, ...attributes } = node.attributes;
  return node.op === 'Gemm' ? { ...node, attributes } : node;
}
