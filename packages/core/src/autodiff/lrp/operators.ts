import type { GraphBuilder } from '../../onnx/builder.ts';
import { isFloat } from '../../onnx/dtype.ts';
import type { Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { operators } from '../../operators/table.ts';

/** The kinds of operators that rules of relevance distinguish. */
export type Kind =
  /** Layers with weights. */
  | 'convolution'
  | 'dense'
  /** Each element of the output is a function of the one element at its place that moves. */
  | 'activation'
  /** Elements are moved or copied, or chosen by their size: a window's maximum. */
  | 'movement'
  /** A product with constants. */
  | 'factor'
  /** A product of values that all move. */
  | 'product'
  /** A moving value divided by a moving value. */
  | 'quotient'
  | 'softmax'
  /** A normalisation that subtracts the mean and divides by the deviation. */
  | 'centering'
  /** A normalisation that divides by a size alone. */
  | 'scaling'
  /** All others: sums, averages, interpolations, and operators that count as their linear part. */
  | 'sum';

/** Operators whose output elements are each an element of an input, chosen by size or by a condition. */
const choosing: ReadonlySet<OperatorName> = new Set<OperatorName>([
  'MaxPool',
  'GlobalMaxPool',
  'ReduceMax',
  'ReduceMin',
  'Max',
  'Min',
  'TopK',
  'Where',
  'ScatterElements',
  'ScatterND',
]);
const centering: ReadonlySet<OperatorName> = new Set<OperatorName>([
  'LayerNormalization',
  'LayerNorm2d',
  'InstanceNormalization',
  'GroupNormalization',
]);

/** Gives the numbers of a node's data inputs that move with the image. */
export const movingData = (g: GraphBuilder, { op, inputs }: Node): number[] =>
  inputs.flatMap((input, i) =>
    i < operators[op].data && input !== '' && g.dependsOnInputs(input) ? [i] : [],
  );

/** Gives the kind of a node that is no layer with weights. */
export function kindOf(g: GraphBuilder, node: Node): Kind {
  const { elementwise, linear, movement, normalises } = operators[node.op];
  if (movement !== 'no' || choosing.has(node.op)) return 'movement';
  if (node.op === 'Softmax') return 'softmax';
  if (normalises) return centering.has(node.op) ? 'centering' : 'scaling';
  const moving = movingData(g, node).length;
  if (elementwise && moving === 1) return linear === 'each' || linear === 'first' ? 'factor' : 'activation';
  if (!isFloat(g.dtype(node.outputs[0]!))) return 'activation'; // as exact as it is rounded
  if (elementwise && linear === 'first') return 'quotient';
  return linear === 'each' && moving > 1 ? 'product' : 'sum';
}

/** Gives the kind of layer with weights that a node could be. */
export const layerKindOf = ({ op }: Node): 'convolution' | 'dense' | undefined => {
  if (operators[op].weights === null) return undefined;
  return op === 'Conv' || op === 'ConvTranspose' ? 'convolution' : 'dense';
};

export const isCentering = ({ op }: Node): boolean => centering.has(op);
