import { type Graph, int, ints, type Node, text } from '../onnx/graph.ts';

/**
 * The lowest opset from 18 on in which a graph says the same. Execution providers have kernels for versions of an operator,
 * and often none for its newest, even where that differs in the types it takes and in nothing else: a network of opset 22
 * loses the CUDA kernels of its pools, written at 18 it has them.
 */
export const lowestOpset = ({
  opset,
  nodes,
  constants,
}: Pick<Graph, 'opset' | 'nodes' | 'constants'>): number =>
  Math.min(
    opset,
    Math.max(
      18,
      ...nodes.map((node) => later[node.op]?.(node, constants) ?? (unchanged.has(node.op) ? 18 : opset)),
    ),
  );

/** Operators of opset 18 that until opset 26 have changed in the types that they take only. */
const unchanged: ReadonlySet<string> = new Set(
  `
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization BitShift BitwiseAnd BitwiseNot BitwiseOr
BitwiseXor Ceil Celu Clip Col2Im Concat ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace Div Einsum Elu Equal Erf
Exp Expand Flatten Floor Gather GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual
HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log
LogSoftmax MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not OneHot Or PRelu Pow Range Reciprocal ReduceL1 ReduceL2
ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round
ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split
Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor
`
    .trim()
    .split(/\s+/),
);

/** Operators that came or changed later: the first opset that has what a node asks for; `undefined`: the model's own. */
const later: Readonly<Record<string, (node: Node, constants: Graph['constants']) => number | undefined>> = {
  // windows that begin in the padding behind are counted otherwise from 19 on
  AveragePool: (node) =>
    int(node, 'ceil_mode', 0) === 1 || (ints(node, 'dilations') ?? []).some((d) => d !== 1) ? undefined : 18,
  Cast: (node) => (has(node, 'saturate', 'round_mode') ? undefined : 18),
  Pad: (node) => (text(node, 'mode', 'constant') === 'wrap' ? 19 : 18),
  Resize: (node) =>
    text(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel_symmetric' ? 19 : 18,
  QuantizeLinear: byteLevels,
  DequantizeLinear: byteLevels,
  Gelu: () => 20,
  GroupNormalization: () => 21,
  RMSNormalization: () => 23,
  Swish: () => 24,
};

/** Levels of 8 bits, one scale for a tensor or for each index of an axis. */
function byteLevels(node: Node, constants: Graph['constants']): number | undefined {
  const zero = constants.get(node.inputs[2] ?? '')?.dtype;
  const bytes = zero === 'int8' || zero === 'uint8';
  return bytes && !has(node, 'saturate', 'block_size', 'output_dtype', 'precision') ? 18 : undefined;
}

const has = ({ attributes }: Node, ...names: string[]): boolean => names.some((name) => name in attributes);
