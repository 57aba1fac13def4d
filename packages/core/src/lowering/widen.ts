import { codeOfDtype, dtypeOfCode } from '../onnx/dtype.ts';
import type { Attribute, Graph, Node, ValueInfo } from '../onnx/graph.ts';
import type { DType, Tensor } from '../tensor.ts';

/**
 * Makes a float16 or float64 model float32: weights, inputs and casts. Gradients of half precision overflow and
 * underflow, CPU kernels for it are few, and every float16 is a float32, so results are the same or better. Double
 * precision has as few kernels, and a photo does not have that many digits.
 */
export function widen(graph: Graph): Graph {
  const half =
    graph.inputs.some((i) => i.dtype === 'float16') ||
    [...graph.constants.values()].some((t) => t.dtype === 'float16');
  const double = graph.inputs.some((i) => i.dtype === 'float64');
  if (!half && !double) return graph;
  const widened = new Set<DType>([
    ...(half ? ['float16' as const] : []),
    ...(double ? ['float64' as const] : []),
  ]);
  const info = <T extends ValueInfo>(i: T): T => (widened.has(i.dtype) ? { ...i, dtype: 'float32' } : i);
  const tensor = (value: Tensor) => (widened.has(value.dtype) ? widenTensor(value) : value);
  return {
    ...graph,
    inputs: graph.inputs.map(info),
    declared: new Map([...(graph.declared ?? [])].map(([name, said]) => [name, info(said)])),
    constants: new Map([...graph.constants].map(([name, value]) => [name, tensor(value)])),
    nodes: graph.nodes.map((node) => widenNode(node, widened, tensor)),
  };
}

function widenNode(node: Node, widened: ReadonlySet<DType>, tensor: (value: Tensor) => Tensor): Node {
  const attributes = Object.entries(node.attributes).map(([name, value]): [string, Attribute] => {
    if (name === 'to' && widened.has(dtypeOfCode[value as number]!)) return [name, codeOfDtype.float32];
    if (typeof value === 'object' && 'tensor' in value) return [name, { tensor: tensor(value.tensor) }];
    if (typeof value === 'object' && 'body' in value)
      return [
        name,
        {
          body: { ...value.body, nodes: value.body.nodes.map((inner) => widenNode(inner, widened, tensor)) },
        },
      ];
    return [name, value];
  });
  return { ...node, attributes: Object.fromEntries(attributes) };
}

/** Converts a float16 or float64 tensor to float32; other tensors stay as they are. */
export function widenTensor(value: Tensor): Tensor {
  if (value.dtype === 'float64')
    return { dtype: 'float32', shape: value.shape, data: Float32Array.from(value.data as Float64Array) };
  if (value.dtype !== 'float16') return value;
  const known = widened.get(value);
  if (known) return known;
  const halves = value.data as Uint16Array;
  const data = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) data[i] = numbers[halves[i]!]!;
  const made: Tensor = { dtype: 'float32', shape: value.shape, data };
  widened.set(value, made);
  return made;
}

/** The widened tensors: every graph of a network holds the same weights. */
const widened = new WeakMap<Tensor, Tensor>();

/** Converts IEEE 754 binary16 bits to a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Every float16 by its bits: there are millions of weights, and a look-up takes a tenth of the time. */
const numbers = Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));
