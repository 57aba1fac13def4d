import type { GraphFile } from '../graph-file.ts';
import type { GraphBuilder, Shape, Value } from '../onnx/builder.ts';
import type { Attributes, Graph, ValueInfo } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { writeApart, writeModel } from '../onnx/write.ts';
import { newGraph } from '../operators/new-graph.ts';
import { float32, sizeOf, type Tensor } from '../tensor.ts';

/** Appends a node whose output has the name that a test chooses. */
export type Layer = (
  name: string,
  op: OperatorName,
  inputs: readonly Value[],
  attributes?: Attributes,
) => Value;

type Build = (layer: Layer, image: Value, g: GraphBuilder) => Value;

/** Writes the ONNX file of a small network over `image` [batch, …shape]; `build` returns the scores. */
export const networkOf = (shape: Shape, build: Build, batch = -1, opset = 17): Uint8Array =>
  writeModel(...graphOf(shape, build, batch, opset));

/** Does the same for a large network, with its weights beside the file. */
export const networkApart = (shape: Shape, build: Build): GraphFile =>
  writeApart(...graphOf(shape, build, -1, 17));

function graphOf(shape: Shape, build: Build, batch: number, opset: number): [Graph, ValueInfo[]] {
  const g = newGraph(opset, batch < 0 ? undefined : batch);
  const image = g.input('image', 'float32', [batch, ...shape]);
  const layer: Layer = (name, op, inputs, attributes = {}) => {
    g.add({ op, name, inputs, outputs: [name], attributes });
    return name;
  };
  const scores = build(layer, image, g);
  const dimensions = g.shape(scores).map((d) => (d < 0 ? 'batch' : d));
  return [g.graph('test', [scores]), [{ name: scores, dtype: 'float32', shape: dimensions }]];
}

export const tinyShape = [2, 6, 6] as const;

/**
 * Makes a network small enough to check by hand: Conv(2→3, 3×3) ReLU `r1` Conv(3→4, 3×3, stride 2) ReLU `r2`, global
 * average, Linear(4→3) `logits`. Parameter k, counted through all weights and biases in order, is
 * 0.6·sin(1.3k + 0.5). A `batch` becomes a constant of a Reshape, as exporters do.
 */
export function tinyNetwork(batch = -1, layout: 'NCHW' | 'NHWC' = 'NCHW'): Uint8Array {
  let k = 0;
  const parameter = (shape: readonly number[]): Tensor => {
    const start = k;
    k += sizeOf(shape);
    return float32(
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => 0.6 * Math.sin(1.3 * (start + i) + 0.5)),
    );
  };
  return networkOf(
    layout === 'NCHW' ? tinyShape : [...tinyShape.slice(1), tinyShape[0]],
    (layer, given, g) => {
      const image = layout === 'NCHW' ? given : layer('nchw', 'Transpose', [given], { perm: [0, 3, 1, 2] });
      const learned = (name: string, shape: readonly number[]) => g.constant(parameter(shape), name);
      const [w1, b1] = [learned('w1', [3, 2, 3, 3]), learned('b1', [3])];
      const [w2, b2] = [learned('w2', [4, 3, 3, 3]), learned('b2', [4])];
      const [w3, b3] = [learned('w3', [3, 4]), learned('b3', [3])];
      const r1 = layer('r1', 'Relu', [layer('c1', 'Conv', [image, w1, b1], { pads: [1, 1, 1, 1] })]);
      const r2 = layer('r2', 'Relu', [
        layer('c2', 'Conv', [r1, w2, b2], { pads: [1, 1, 1, 1], strides: [2, 2] }),
      ]);
      const pooled = layer('flat', 'Reshape', [layer('pool', 'GlobalAveragePool', [r2]), g.ints([batch, 4])]);
      return layer('logits', 'Gemm', [pooled, w3, b3], { transB: 1 });
    },
    batch,
  );
}

/** Makes two images for `tinyNetwork`: element i is 0.25·sin(0.11 i²) + cos(0.37 i). */
export const tinyImages = (): Tensor<'float32'> =>
  float32(
    [2, ...tinyShape],
    Array.from({ length: 144 }, (_, i) => 0.25 * Math.sin(0.11 * i * i) + Math.cos(0.37 * i)),
  );
