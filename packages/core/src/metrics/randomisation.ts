import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.ts';
import { normals } from '../methods/shared/random.ts';
import { type Model, ModelSchema, TensorDefSchema } from '../onnx/generated/onnx_pb.js';
import { readTensor } from '../onnx/tensor-data.ts';
import { getOwn } from '../own.ts';

/** Operators that have learned weights, and the numbers of the inputs that are these weights. */
const learned: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  LayerNormalization: [1, 2],
};

const float = 1;

/** Lists nodes whose weights can be randomised, nearest to the scores first. @throws InputError invalid_model */
export function randomisableLayers(model: Uint8Array): string[] {
  return layersFromTop(parse(model)).map(({ name }) => name);
}

/**
 * Replaces the weights of the model's uppermost `count` layers by noise that has the weights' own mean and
 * deviation: a faithful explanation changes with the weights (Adebayo et al., NeurIPS 2018, cascading randomisation).
 *
 * The same seed gives the same noise, and a layer's noise does not depend on `count`.
 *
 * @throws InputError invalid_model if no weight can be found.
 */
export function randomised(model: Uint8Array, count: number, seed = 0): Uint8Array {
  const parsed = parse(model);
  const layers = layersFromTop(parsed);
  if (layers.length === 0)
    throw new InputError('invalid_model', 'the model has no float32 weights that could be randomised');
  const initializers = parsed.graph!.initializer;
  layers.slice(0, count).forEach(({ weights }, layer) => {
    weights.forEach((at, w) => {
      const old = initializers[at]!;
      const values = readTensor(old, old.name ?? '').data as Float32Array;
      const noise = likeThem(values, seed + 7919 * layer + 101 * w);
      initializers[at] = create(TensorDefSchema, {
        name: old.name,
        dataType: float,
        dims: old.dims,
        rawData: new Uint8Array(noise.buffer),
      });
    });
  });
  return toBinary(ModelSchema, parsed);
}

function layersFromTop({ graph }: Model): { name: string; weights: number[] }[] {
  const places = new Map(graph?.initializer.map((tensor, i) => [tensor.name ?? '', i] as const));
  const used = new Set<number>();
  return (graph?.node ?? [])
    .toReversed()
    .map((node, i) => {
      const weights = (getOwn(learned, node.opType ?? '') ?? [])
        .map((input) => places.get(node.input[input] ?? ''))
        .filter(
          (at) => at !== undefined && graph!.initializer[at]!.dataType === float && !used.has(at),
        ) as number[];
      for (const at of weights) used.add(at);
      return { name: node.name || node.output[0] || `node ${i}`, weights };
    })
    .filter(({ weights }) => weights.length > 0);
}

/** Makes noise with the mean and standard deviation of `values`; values that are all equal stay the same. */
function likeThem(values: Float32Array, seed: number): Float32Array {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return normals(seed, values.length).map((v) => mean + deviation * v);
}

function parse(model: Uint8Array): Model {
  try {
    return fromBinary(ModelSchema, model);
  } catch {
    throw new InputError('invalid_model', 'the file is not an ONNX model');
  }
}
