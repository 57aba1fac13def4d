import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { writeModel } from '../onnx/write.ts';
import { newGraph } from '../operators/new-graph.ts';
import { float32 } from '../tensor.ts';

// Networks with the endings of real networks: a small body, and a `head` over its scores.

const shape = [2, 5, 5] as const;

const wave = (count: number, factor = 1, shift = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => factor * Math.sin(1.7 * i + 0.4 + shift));

/** The tools with which a head is written. */
export interface Body {
  readonly g: GraphBuilder;
  /** Adds a linear layer and returns its scores [N, count]; its weights are as large as `factor`. */
  scores(count: number, factor?: number): Value;
  of(
    op: Parameters<GraphBuilder['emit']>[0],
    inputs: readonly (Value | number)[],
    attributes?: object,
  ): Value;
  /** Makes a value an output of the file with this name. */
  named(name: string, value: Value): Value;
}

/** Writes the ONNX file of such a network; `head` returns its outputs. */
export function headNetwork(
  head: (body: Body) => readonly Value[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const g = newGraph(17);
  const image = g.input('image', 'float32', [-1, ...shape]);
  const weights = g.constant(float32([3, 2, 3, 3], wave(54)), 'w');
  const map = g.emit('Tanh', [g.emit('Conv', [image, weights])]);
  const features = g.emit('Flatten', [map], { axis: 1 });
  let layers = 0;
  const outputs = head({
    g,
    scores: (count, factor = 1) => {
      const shift = 3.1 * layers++;
      const linear = g.constant(float32([27, count], wave(27 * count, factor, shift)));
      return g.emit('Gemm', [features, linear, g.constant(float32([count], wave(count, 0.2, shift)))]);
    },
    of: (op, inputs, attributes = {}) =>
      g.emit(
        op,
        inputs.map((v) => (typeof v === 'number' ? g.scalar(v) : v)),
        attributes as never,
      ),
    named(name, value) {
      g.add({ op: 'Identity', name: `give ${name}`, inputs: [value], outputs: [name], attributes: {} });
      return name;
    },
  });
  const infos = outputs.map((name) => ({
    name,
    dtype: g.dtype(name),
    shape: g.shape(name).map((d) => (d < 0 ? 'batch' : d)),
  }));
  return writeModel(g.graph('head', outputs), infos, metadata);
}

/** Images for `headNetwork`. */
export const headImages = float32([3, ...shape], wave(150, 1.3));
