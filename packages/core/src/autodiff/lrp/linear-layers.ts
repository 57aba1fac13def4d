import { applied, type Expression } from '../../onnx/expression.ts';
import { int, type Node, real } from '../../onnx/graph.ts';
import { given, type RuleContext } from '../../operators/vjp/rule.ts';
import { vectorOf } from './affine.ts';
import type { LinearLayer } from './canonical.ts';

export interface Parameters {
  readonly weights: Expression;
  readonly bias: Expression | undefined;
}

export const hasBias = ({ node, follows }: LinearLayer): boolean =>
  Boolean(node.inputs[2]) || follows.length > 0;

/** Gives a layer's weights and bias, including the scales and shifts that follow it and are part of it. */
export function parametersOf(c: RuleContext, { node, weights, follows }: LinearLayer): Parameters {
  const own: Parameters = {
    weights: c.x(weights).mul(node.op === 'Gemm' ? real(node, 'alpha', 1) : 1),
    bias: given(c, 2)?.mul(node.op === 'Gemm' ? real(node, 'beta', 1) : 1),
  };
  return follows.reduce(({ weights, bias }, affine) => {
    const { factor, shift } = vectorOf(affine);
    return {
      weights: factor ? weights.mul(alongOutputs(node, weights, factor)) : weights,
      bias: shifted(factor ? bias?.mul(factor) : bias, shift),
    };
  }, own);
}

const shifted = (bias: Expression | undefined, by: Expression | undefined): Expression | undefined =>
  bias && by ? bias.add(by) : (by ?? bias);

/** Reshapes one number per output channel so that it broadcasts along the weights' axis of output channels. */
function alongOutputs(node: Node, weights: Expression, factor: Expression): Expression {
  const rank = weights.shape.length;
  const behind =
    node.op === 'Conv' ? rank - 1 : node.op === 'ConvTranspose' ? rank - 2 : int(node, 'transB', 0);
  return factor.reshape([factor.shape[0]!, ...Array<number>(behind).fill(1)]);
}

/** Computes the layer's output for another input, weights and bias. */
export function applyLayer(
  { node, kind, weights }: LinearLayer,
  x: Expression,
  { weights: w, bias }: Parameters,
): Expression {
  const operands = weights === 1 ? [x, w] : [w, x];
  const { attributes } = plainNode(node);
  if (bias === undefined) return applied(node.op, operands, attributes);
  if (kind === 'convolution') return applied(node.op, [...operands, bias], attributes);
  return applied(node.op, operands, attributes).add(bias);
}

/** Gives the node without factors of its own, which `parametersOf` has included in weights and bias. */
export function plainNode(node: Node): Node {
  const { alpha: _alpha, beta: _beta, ...attributes } = node.attributes;
  return node.op === 'Gemm' ? { ...node, attributes } : node;
}
