import { between } from './autodiff/path.ts';
import type { Network } from './classifier.ts';
import { InputError } from './errors.ts';
import type { GraphBuilder, Value } from './onnx/builder.ts';
import { quoted } from './onnx/names.ts';

/** A feature map that a CAM can look at. */
export interface Layer {
  readonly name: Value;
  /** [channels, height, width] */
  readonly shape: readonly number[];
}

/** Operators that make a map of a map. Everything else (Reshape, MatMul, Transpose) ends it. */
const mapping =
  /^(Add|Sub|Mul|Div|Sum|Max|Min|Relu|LeakyRelu|PRelu|Elu|Selu|Celu|Clip|Sigmoid|HardSigmoid|HardSwish|Tanh|Softplus|Mish|Swish|Gelu|Erf|BatchNormalization|InstanceNormalization|GroupNormalization|LRN|MaxPool|AveragePool|Concat|Split|Slice|Pad|Resize|Gather|DepthToSpace|SpaceToDepth|Cast)$/;
const making = /^(Conv|ConvTranspose)$/;

/** Feature maps [N, C, h, w] with h·w > 1 on the way from the image to the scores, in order. */
export function layersOf({ g, image, logits }: Pick<Network, 'g' | 'image' | 'logits'>): Layer[] {
  const { nodes } = between(g, [image], [logits]);
  const maps = new Set<Value>();
  for (const node of nodes)
    if (making.test(node.op) || (mapping.test(node.op) && node.inputs.some((input) => maps.has(input))))
      for (const output of node.outputs) if (output !== '' && isMap(g, output)) maps.add(output);
  return [...maps].map((name) => ({ name, shape: g.shape(name).slice(1) }));
}

const isMap = (g: GraphBuilder, value: Value): boolean => {
  if (!g.knows(value)) return false;
  const [batch, ...shape] = g.shape(value);
  return shape.length === 3 && batch !== undefined && shape.every((d) => d > 0) && shape[1]! * shape[2]! > 1;
};

/**
 * The layers to look at: those asked for, by tensor name or by index from the end (`-1`), or, if none is, the last
 * map before the network pools or flattens.
 */
export function chooseLayers(network: Network, asked: readonly string[]): Value[] {
  const layers = layersOf(network);
  const last = layers.at(-1);
  if (asked.length === 0) {
    if (!last)
      throw new InputError(
        'method_not_supported',
        'the model has no feature map [N, C, h, w] between image and scores; choose a method without layers',
      );
    return [last.name];
  }
  return asked.map((name) => {
    if (/^-\d+$/.test(name)) {
      const counted = layers.at(Number(name));
      if (counted) return counted.name;
    }
    const value = network.resolve(name);
    if (layers.some((layer) => layer.name === value)) return value;
    const near = layers.slice(-3).map((layer) => quoted(layer.name));
    throw new InputError(
      'invalid_parameter',
      `layer ${quoted(name)}: the model has no feature map of that name; among the last are ${near.join(', ')}`,
    );
  });
}
