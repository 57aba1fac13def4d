import type { Graph, Node, ValueInfo } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';
import type { Tensor } from '../tensor.ts';

/** The role of each axis of the network's input; null: there is no such axis, as a grey image needs no channels. */
export interface InputAxes {
  readonly batch: number | null;
  readonly channels: number | null;
  readonly rows: number;
  readonly columns: number;
  /** Number of channels that the first convolution takes, if it was found. */
  readonly convolved: number | undefined;
}

/** An axis of a value: an axis of the input, or (null) an axis of size 1 that the graph inserted. */
type Axis = number | null;

/** Operators on feature maps, whose axes are [N, C, H, W]; the map is the first input. */
const onMaps: ReadonlySet<string> = new Set([
  ...['Conv', 'FusedConv', 'ConvInteger', 'QLinearConv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'LpPool'],
  ...['GlobalAveragePool', 'GlobalMaxPool', 'InstanceNormalization', 'LRN', 'SpaceToDepth', 'DepthToSpace'],
]);

/** Operators that keep the role of every axis, in addition to the elementwise operators. */
const keepsAxes: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'Dropout', 'Pad', 'Resize', 'Upsample', 'Slice', 'BatchNormalization', 'Concat'],
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'],
]);

/**
 * Finds the axes of an image input by the axes that the network convolves or pools over: follows the graph from the
 * input through operators that keep or move axes. If that finds nothing, decides by the sizes that the file states.
 *
 * @returns undefined if both find nothing
 */
export function inputAxes(graph: Graph, input: ValueInfo): InputAxes | undefined {
  const found = followed(graph, input);
  return (found && rolesOf(found.axes, input, found.convolved)) ?? axesBySize(input, firstConvolved(graph));
}

function followed(
  { nodes, constants }: Graph,
  { name, shape }: ValueInfo,
): { axes: readonly Axis[]; convolved: number | undefined } | undefined {
  const known = new Map<string, readonly Axis[]>([[name, shape.map((_, i) => i)]]);
  const fixed = new Map(constants);
  for (const node of nodes) {
    const { value } = node.attributes;
    if (node.op === 'Constant' && typeof value === 'object' && 'tensor' in value)
      fixed.set(node.outputs[0]!, value.tensor);
    const axes = known.get(node.inputs[0]!) ?? node.inputs.map((input) => known.get(input)).find(Boolean);
    if (!axes) continue;
    if (onMaps.has(node.op) && known.has(node.inputs[0]!) && axes.length === 4)
      return { axes, convolved: convolvedBy(node, nodes, fixed) };
    const moved = movedBy(node, axes, shape, fixed);
    if (moved) known.set(node.outputs[0]!, moved);
  }
  return undefined;
}

function movedBy(
  node: Node,
  axes: readonly Axis[],
  sizes: readonly (number | string)[],
  constants: ReadonlyMap<string, Tensor>,
): readonly Axis[] | undefined {
  const { perm, axes: stated } = node.attributes;
  const numbers = (): number[] | undefined => {
    if (Array.isArray(stated)) return stated as number[];
    const tensor = constants.get(node.inputs[1] ?? '');
    return tensor && Array.from(tensor.data as Iterable<number | bigint>, Number);
  };
  switch (node.op) {
    case 'Transpose':
      return Array.isArray(perm) ? (perm as number[]).map((from) => axes[from]!) : axes.toReversed();
    case 'Unsqueeze': {
      const at = numbers();
      if (!at) return undefined;
      const rank = axes.length + at.length;
      const added = new Set(at.map((axis) => (axis < 0 ? axis + rank : axis)));
      const rest = [...axes];
      return Array.from({ length: rank }, (_, i) => (added.has(i) ? null : rest.shift()!));
    }
    case 'Squeeze': {
      const at = numbers()?.map((axis) => (axis < 0 ? axis + axes.length : axis));
      return at && axes.filter((_, i) => !at.includes(i));
    }
    case 'Reshape': {
      const to = numbers();
      return to && reshaped(axes, sizes, to);
    }
    default:
      return keepsAxes.has(node.op) || operators[node.op].elementwise ? axes : undefined;
  }
}

/** Computes the axes after a Reshape that only adds, drops or moves axes of size 1. */
function reshaped(
  axes: readonly Axis[],
  sizes: readonly (number | string)[],
  to: readonly number[],
): readonly Axis[] | undefined {
  const isOne = (axis: Axis) => axis === null || sizes[axis] === 1;
  const larger = axes.filter((axis) => !isOne(axis));
  const ones = axes.filter((axis) => axis !== null && isOne(axis));
  const sizeOf = (size: number, i: number): number | string => (size === 0 ? (sizes[axes[i]!] ?? 0) : size);
  // A batch axis of size 1 that the file states is an axis like any other.
  if (to.filter((size, i) => sizeOf(size, i) !== 1).length !== larger.length) return undefined;
  const fits = to
    .map(sizeOf)
    .filter((size) => size !== 1)
    .every(
      (size, i) =>
        size === -1 ||
        typeof size === 'string' ||
        size === sizes[larger[i]!] ||
        typeof sizes[larger[i]!] === 'string',
    );
  if (!fits) return undefined;
  return to.map((size, i) => (sizeOf(size, i) === 1 ? (ones.shift() ?? null) : larger.shift()!));
}

/** Reads the number of channels that a convolution takes from its weights. */
function convolvedBy(
  { op, inputs, attributes }: Node,
  nodes: readonly Node[],
  constants: ReadonlyMap<string, Tensor>,
): number | undefined {
  if (op !== 'Conv' && op !== ('FusedConv' as string) && op !== 'ConvInteger' && op !== 'QLinearConv')
    return undefined;
  let name = inputs[op === 'QLinearConv' ? 3 : 1]!;
  for (let steps = 0; steps < 4 && !constants.has(name); steps++)
    name = nodes.find(({ outputs }) => outputs[0] === name)?.inputs[0] ?? name;
  const per = constants.get(name)?.shape[1];
  const { group } = attributes;
  return per === undefined ? undefined : per * (typeof group === 'number' ? group : 1);
}

function firstConvolved({ nodes, constants }: Graph): number | undefined {
  const first = nodes.find(({ op }) => op === 'Conv' || op === 'ConvInteger' || op === 'QLinearConv');
  return first && convolvedBy(first, nodes, constants);
}

/** Assigns roles to the input axes that a map's axes [N, C, H, W] came from. */
function rolesOf(
  [batch, channels, rows, columns]: readonly Axis[],
  { shape }: ValueInfo,
  convolved: number | undefined,
): InputAxes | undefined {
  if (rows === null || columns === null || rows === undefined || columns === undefined) return undefined;
  const roles = { batch: batch ?? null, channels: channels ?? null, rows, columns, convolved };
  const used = [roles.batch, roles.channels, rows, columns].filter((axis) => axis !== null);
  return used.length === shape.length && rows < columns ? roles : undefined;
}

/** Returns the axes of a batch of images. */
export const axesOf = (layout: 'NCHW' | 'NHWC') =>
  layout === 'NCHW'
    ? { batch: 0, channels: 1, rows: 2, columns: 3 }
    : { batch: 0, channels: 3, rows: 1, columns: 2 };

/** Finds the axes by the sizes that the file states: a small size next to the batch or last is the channels. */
function axesBySize({ shape }: ValueInfo, convolved: number | undefined): InputAxes | undefined {
  const isChannels = (size: number | string | undefined) =>
    typeof size === 'number' && (size <= 4 || size === convolved);
  const first = { ...axesOf('NCHW'), convolved };
  const last = { ...axesOf('NHWC'), convolved };
  if (shape.length === 4) return isChannels(shape[3]) && !isChannels(shape[1]) ? last : first;
  if (shape.length !== 3) return undefined;
  if (isChannels(shape[2]) && !isChannels(shape[0]))
    return { ...last, batch: null, channels: 2, rows: 0, columns: 1 };
  if (isChannels(shape[0]) && shape[0] !== 1)
    return { ...first, batch: null, channels: 0, rows: 1, columns: 2 };
  // [N, H, W] if the batch is open; [1, H, W] can be read both ways, with the same result.
  return typeof shape[0] === 'string' || shape[0] === 1
    ? { batch: 0, channels: null, rows: 1, columns: 2, convolved }
    : undefined;
}
