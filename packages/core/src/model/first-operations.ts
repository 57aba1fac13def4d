import type { Graph, Node, ValueInfo } from '../onnx/graph.ts';
import type { Tensor } from '../tensor.ts';
import type { InputAxes } from './input-axes.ts';

/**
 * Preprocessing settings for a graph whose first operations preprocess the photo themselves. The members are those of
 * preprocessing: `scale` is 1 if the graph takes pixels of 0 to 255, 1/255 if it takes 0 to 1; `mean` is 0 and `std` 1
 * if it shifts and divides; there is no resize if it brings every size to one size.
 */
export interface FirstOperations {
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly resize?: 'none';
  readonly crop?: 'none';
  readonly size?: null;
}

/** factor · x + offset, with one number for all channels or one for each. */
interface Affine {
  readonly factors: readonly number[];
  readonly offsets: readonly number[];
}

/** Operators that change no number, only the order of the numbers or their type. */
const passing: ReadonlySet<string> = new Set([
  ...[
    'Identity',
    'Cast',
    'Transpose',
    'Reshape',
    'Squeeze',
    'Unsqueeze',
    'Dropout',
    'Pad',
    'Slice',
    'Gather',
  ],
  ...['Resize', 'Upsample', 'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Clip'],
]);

/** Follows the image from the input to the first operator that is neither arithmetic with constants nor a move. */
export function firstOperations(
  graph: Graph,
  { name, shape, dtype }: ValueInfo,
  { rows, columns }: InputAxes,
): FirstOperations {
  const constants = new Map(graph.constants);
  const open = typeof shape[rows] === 'string' && typeof shape[columns] === 'string';
  let value = name;
  let affine: Affine = { factors: [1], offsets: [0] };
  let resizes = false;
  let normalised: Affine | undefined;
  const users = usersOf(graph, constants);
  for (let node = nextOf(users, value); node; node = nextOf(users, value)) {
    if (node.op === 'BatchNormalization') {
      normalised = statistics(node, constants);
      break;
    }
    const step = arithmetic(node, value, constants);
    if (!step && !passing.has(node.op)) break;
    if (node.op === 'DequantizeLinear' && dtype !== 'float32' && dtype !== 'float16') break;
    if (node.op === 'Resize' || node.op === 'Upsample') resizes = isFixed(node, constants);
    if (step) affine = after(affine, step);
    value = node.outputs[0]!;
  }
  const range = normalised && isPlain(affine) ? rangeByStatistics(normalised) : rangeByAffine(affine);
  return {
    ...(range !== undefined && { scale: range === 255 ? 1 : 1 / 255, mean: [0], std: [1] }),
    ...(resizes && open && { size: null, resize: 'none' as const, crop: 'none' as const }),
  };
}

/** Finds the nodes that use each value; also collects the constants. */
function usersOf({ nodes }: Graph, constants: Map<string, Tensor>): ReadonlyMap<string, readonly Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of nodes) {
    const { value, value_float: float } = node.attributes;
    if (node.op === 'Constant' && typeof value === 'object' && 'tensor' in value)
      constants.set(node.outputs[0]!, value.tensor);
    if (node.op === 'Constant' && typeof float === 'object' && 'float' in float)
      constants.set(node.outputs[0]!, { dtype: 'float32', shape: [], data: Float32Array.of(float.float) });
    for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  }
  return users;
}

/** Returns the only operator that uses a value's numbers; operators that read its shape do not count. */
function nextOf(users: ReadonlyMap<string, readonly Node[]>, value: string): Node | undefined {
  const working = (users.get(value) ?? []).filter(({ op }) => op !== 'Shape' && op !== 'Size');
  return working.length === 1 ? working[0] : undefined;
}

function arithmetic(
  { op, inputs }: Node,
  value: string,
  constants: ReadonlyMap<string, Tensor>,
): Affine | undefined {
  const other = inputs.find((input) => input !== value);
  const numbers = other === undefined ? undefined : numbersOf(constants.get(other));
  if (!numbers) return undefined;
  const first = inputs[0] === value;
  if (op === 'Mul') return { factors: numbers, offsets: [0] };
  if (op === 'Div' && first) return { factors: numbers.map((x) => 1 / x), offsets: [0] };
  if (op === 'Add') return { factors: [1], offsets: numbers };
  if (op === 'Sub' && first) return { factors: [1], offsets: numbers.map((x) => -x) };
  return undefined;
}

/** Reads one number, or a few: as many as an image has channels. */
function numbersOf(tensor: Tensor | undefined): number[] | undefined {
  if (!tensor || tensor.data.length > 4096 || tensor.dtype === 'float16') return undefined;
  return Array.from(tensor.data as Iterable<number | bigint>, Number);
}

function after(before: Affine, { factors, offsets }: Affine): Affine {
  const count = Math.max(before.factors.length, before.offsets.length, factors.length, offsets.length);
  const each = (of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i));
  const at = (values: readonly number[], i: number) => values[i % values.length]!;
  return {
    factors: each((i) => at(before.factors, i) * at(factors, i)),
    offsets: each((i) => at(before.offsets, i) * at(factors, i) + at(offsets, i)),
  };
}

const isPlain = ({ factors, offsets }: Affine): boolean =>
  factors.every((factor) => factor === 1) && offsets.every((offset) => offset === 0);

/**
 * Tells from which pixels, 0 to 255 or 0 to 1, factor · x + offset makes the small numbers that networks compute with:
 * a factor of 1/255 or 1/58 is for 0 to 255, one of 1/0.225 or 2 is not; a subtracted mean lies in the range.
 */
function rangeByAffine(affine: Affine): 255 | 1 | undefined {
  if (isPlain(affine)) return undefined;
  const { factors, offsets } = affine;
  const largest = Math.max(...factors.map(Math.abs));
  const mean = Math.max(...offsets.map((offset, i) => Math.abs(offset / factors[i]!)));
  return largest <= 0.1 || mean > 2 ? 255 : 1;
}

/** Reads the mean and the deviation that a BatchNormalization has recorded from its training images. */
function statistics({ inputs }: Node, constants: ReadonlyMap<string, Tensor>): Affine | undefined {
  const [mean, variance] = [3, 4].map((i) => numbersOf(constants.get(inputs[i] ?? '')));
  return mean && variance && { offsets: mean, factors: variance.map((v) => Math.sqrt(Math.max(v, 0))) };
}

/** Returns `undefined` for a mean of about 0 or a deviation of about 1: such images were normalised before. */
function rangeByStatistics({ offsets: means, factors: deviations }: Affine): 255 | 1 | undefined {
  if (means.every((mean) => mean > 10) && deviations.every((deviation) => deviation > 5)) return 255;
  const unit = means.every((mean) => mean > 0.1 && mean < 1) && deviations.every((d) => d > 0.01 && d < 0.5);
  return unit ? 1 : undefined;
}

/** Tells whether a Resize brings every size to one size. */
function isFixed({ inputs }: Node, constants: ReadonlyMap<string, Tensor>): boolean {
  const sizes = inputs[3];
  return sizes !== undefined && sizes !== '' && (constants.has(sizes) || !inputs[2]);
}
