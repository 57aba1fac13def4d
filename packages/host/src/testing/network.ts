import { type Field, message, modelOf, valueInfo } from '../runtime/tiny-model.ts';

export interface NetworkOptions {
  /** Side of the square input. */
  readonly side?: number;
  /** The linear layer's weights, [class][colour]. */
  readonly weights?: readonly (readonly number[])[];
  readonly bias?: readonly number[];
  /** Runs the features through an operator of this name on their way. */
  readonly extra?: string;
  /** Operators that the class scores go through at the end. */
  readonly end?: readonly string[];
  /** Name of the output. */
  readonly output?: string;
}

/** Classes 0, 1, 2 of the network below see red, green and blue. */
export const colours = [
  [4, 0, 0],
  [0, 4, 0],
  [0, 0, 4],
] as const;

/**
 * Builds a classifier that can be computed by hand, as ONNX: features = Relu(1×1 convolution that changes nothing)
 * [N, 3, side, side], class scores = weights · mean of the features + bias, then the operators in `end`. On input in
 * 0..1 its features are the picture's colours.
 */
export function colourNetwork({
  side = 16,
  weights = colours,
  bias = [0, 0, 0],
  extra,
  end = [],
  output = 'logits',
}: NetworkOptions = {}): Uint8Array {
  const node = (op: string, inputs: readonly string[], output: string): Field => [
    1,
    message(...inputs.map((name): Field => [1, name]), [2, output], [3, output], [4, op]),
  ];
  const features = extra
    ? [node('Relu', ['mixed'], 'colours'), node(extra, ['colours'], 'features')]
    : [node('Relu', ['mixed'], 'features')];
  const transposed = [0, 1, 2].flatMap((colour) => weights.map((row) => row[colour]!));
  return modelOf(
    node('Conv', ['input', 'identity'], 'mixed'),
    ...features,
    node('GlobalAveragePool', ['features'], 'pooled'),
    node('Flatten', ['pooled'], 'flat'),
    node('MatMul', ['flat', 'readout'], 'products'),
    ...['Add', ...end].map((op, i, ops) =>
      node(op, i === 0 ? ['products', 'bias'] : [`end${i - 1}`], i === ops.length - 1 ? output : `end${i}`),
    ),
    [5, constant('identity', [3, 3, 1, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1])],
    [5, constant('readout', [3, weights.length], transposed)],
    [5, constant('bias', [weights.length], bias)],
    [11, valueInfo('input', 1, ['batch', 3, side, side])],
    [12, valueInfo(output, 1, ['batch', weights.length])],
  );
}

function constant(name: string, shape: readonly number[], values: readonly number[]): Uint8Array {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return message(...shape.map((axis): Field => [1, axis]), [2, 1], [8, name], [9, data]);
}
