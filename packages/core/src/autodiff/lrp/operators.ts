import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';

/**
 * What an operator is to a rule of relevance.
 *
 * - convolution, dense: a layer with weights
 * - activation: each element of the output is a function of one element that the input moves, constants beside
 * - movement: elements are moved or copied, or chosen (a maximum, a window's maximum)
 * - factor: a product with constants
 * - product: a product of values that all move
 * - quotient: a moving value over a moving value
 * - centering: a normalisation that subtracts the mean and divides by the deviation
 * - scaling: a normalisation that divides by a size alone
 * - sum: what is left; sums, averages, interpolations, and what counts as its linear part
 */
export type Kind =
  | 'convolution'
  | 'dense'
  | 'activation'
  | 'movement'
  | 'factor'
  | 'product'
  | 'quotient'
  | 'softmax'
  | 'centering'
  | 'scaling'
  | 'sum';

const named = (kind: Kind, operators: string): [string, Kind][] =>
  operators.split(' ').map((op) => [op, kind]);

const kinds = new Map<string, Kind>([
  ...named(
    'activation',
    'Relu LeakyRelu PRelu Elu Selu Celu Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Erf Gelu Mish Swish Shrink ThresholdedRelu Neg Abs Exp Log Sqrt Reciprocal Cast CastLike Mod Sign Floor Ceil Round Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh QuantizeLinear DequantizeLinear DynamicQuantizeLinear BatchNormalization',
  ),
  ...named(
    'movement',
    'Reshape Flatten Squeeze Unsqueeze Transpose Concat Split Slice Gather Expand Tile Pad DepthToSpace SpaceToDepth GatherElements ScatterElements ScatterND TopK Trilu Where MaxPool GlobalMaxPool ReduceMax ReduceMin Max Min',
  ),
  ['Softmax', 'softmax'],
  ...named('centering', 'LayerNormalization InstanceNormalization GroupNormalization'),
  ...named('scaling', 'RMSNormalization LRN'),
]);

/** What a node is that is no layer with weights. */
export function kindOf(g: GraphBuilder, node: Node): Exclude<Kind, 'convolution' | 'dense'> {
  const known = kinds.get(node.op);
  if (known) return known as Exclude<Kind, 'convolution' | 'dense'>;
  const moving = node.inputs.filter((input) => input !== '' && g.dependsOnInputs(input)).length;
  switch (node.op) {
    case 'Add':
    case 'Sub':
    case 'Sum':
    case 'Mean':
    case 'Pow':
      return moving === 1 ? 'activation' : 'sum';
    case 'Mul':
      return moving === 1 ? 'factor' : 'product';
    case 'Div':
      return moving === 1 ? 'factor' : 'quotient';
    case 'MatMul':
    case 'Gemm':
    case 'Einsum':
    case 'Conv':
      return moving === 1 ? 'sum' : 'product';
    default:
      return 'sum';
  }
}
