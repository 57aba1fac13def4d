import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { writeModel } from '../onnx/write.ts';
import { newGraph } from '../operators/new-graph.ts';
import type { Operator } from '../operators/operator.ts';
import { broadcast, broadcastOffsets } from '../operators/shape/rule.ts';
import { dtypes, type Tensor, type TensorData } from '../tensor.ts';
import { type Case, type Operand, values } from './cases.ts';
import { cpu } from './ort.ts';

// Measures the properties of operators from the results of ONNX Runtime.

/** Properties of an operator that its row of the table states, measured by its cases. */
export type Measured = Pick<Operator, 'elementwise' | 'linear' | 'movement' | 'normalises'>;

/** Measures the properties that all cases of an operator have in common. */
export async function measured(cases: readonly Case[], data: number): Promise<Measured> {
  const found: Awaited<ReturnType<typeof behaviour>>[] = [];
  for (const c of cases) found.push(await behaviour(c, (i) => i < data));
  const all = (name: keyof (typeof found)[number]) => found.every((each) => each[name]);
  const linear = all('jointly') ? 'jointly' : all('each') ? 'each' : all('first') ? 'first' : 'no';
  const moves = linear === 'jointly' && all('moves');
  return {
    elementwise: all('elementwise'),
    linear,
    movement: moves ? (all('inOrder') ? 'view' : 'moves') : 'no',
    normalises: data === 1 && linear === 'no' && all('sameShape') && !all('elementwise'),
  };
}

/** Tells whether a case is linear in one of its inputs while the others stay constant. */
export const isLinearIn = async (c: Case, input: number): Promise<boolean> =>
  (await behaviour(c, (i) => i === input)).first;

async function behaviour(c: Case, isData: (i: number) => boolean) {
  const { a, b, run, close } = await evaluated(c, isData);
  const whole = await run(a);
  const additive = async (varied: readonly number[]): Promise<boolean> => {
    const at = (of: (x: Tensor, i: number) => Tensor) =>
      run(a.map((x, i) => (varied.includes(i) ? of(x, i) : x))).then((ys) => ys.flatMap(numbers));
    const both = await at((x, i) => mapped(x, (v, k) => sumOf(x, v, Number(b[i]!.data[k]))));
    const [left, right, none] = [whole.flatMap(numbers), await at((_, i) => b[i]!), await at(zeros)];
    const all = [both, left, right, none].flat();
    if (!all.every(Number.isFinite)) return false;
    const scale = Math.max(1, ...all.map(Math.abs));
    return both.every((v, k) => Math.abs(v - left[k]! - right[k]! + none[k]!) <= 1e-4 * scale);
  };
  const every = [...a.keys()];
  const each = [];
  for (const i of every) each.push(await additive([i]));
  const given = new Set(a.flatMap(numbers));
  const [y] = whole as [Tensor];
  const result = {
    jointly: await additive(every),
    each: each.every(Boolean),
    first: each[0]!,
    moves: whole.flatMap(numbers).every((v) => v === 0 || given.has(v)),
    inOrder: whole.length === 1 && numbers(y).join() === numbers(a[0]!).join(),
    sameShape: y.shape.join() === a[0]!.shape.join(),
    elementwise: await inPlace(a, b, y, run),
  };
  await close();
  return result;
}

type Run = (data: readonly Tensor[]) => Promise<Tensor[]>;

/** Tells whether a change of an element changes the output only at the places to which it is broadcast. */
async function inPlace(a: readonly Tensor[], b: readonly Tensor[], y: Tensor, run: Run): Promise<boolean> {
  const before = numbers(y);
  if (!canBroadcast(a) || broadcast(...a.map(({ shape }) => shape)).join() !== y.shape.join()) return false;
  for (const [i, x] of a.entries()) {
    const sources = [...broadcastOffsets(x.shape, y.shape)];
    for (const k of new Set([0, Math.floor(x.data.length / 2), x.data.length - 1])) {
      const moved = mapped(x, (v, at) => (at === k ? Number(b[i]!.data[k]) || v + 1 : v));
      const [after] = (await run(a.with(i, moved))).map(numbers) as [number[]];
      if (after.some((v, at) => !Object.is(v, before[at]) && sources[at] !== k)) return false;
    }
  }
  return true;
}

function canBroadcast(tensors: readonly Tensor[]): boolean {
  try {
    broadcast(...tensors.map(({ shape }) => shape));
    return true;
  } catch {
    return false;
  }
}

/** Loads a case whose data are inputs, and makes two sets of data. */
async function evaluated(c: Case, isData: (i: number) => boolean) {
  const g = newGraph(c.opset);
  const first = c.inputs.map((operand, i) => tensorOf(c, operand, i));
  const types = first.map((t, i) => (t && isData(i) ? t.dtype : ''));
  const moving = types.some((type) => /float|bool/.test(type)) ? /float|bool/ : /./; // indices stay
  const varies = types.map((type) => moving.test(type));
  const names = first.map((t, i) =>
    t === undefined ? '' : varies[i] ? g.input(`x${i}`, t.dtype, t.shape) : g.constant(t),
  );
  const ys = g.emitAll(c.op, names, c.attributes, c.outputs);
  const used = (c.used ?? ys.map((_, k) => k)).map((k) => ys[k]!);
  const session = await cpu.load(written(g, used));
  const fed = names.filter((_, i) => varies[i]);
  const run: Run = async (tensors) => {
    const found = await session.run(Object.fromEntries(fed.map((name, i) => [name, tensors[i]!])));
    return used.map((y) => found[y]!);
  };
  const a = first.filter((_, i) => varies[i]) as Tensor[];
  const b = c.inputs.flatMap((operand, i) => (varies[i] ? [another(c, operand, first[i]!, i)] : []));
  return { a, b, run, close: session.close };
}

/** Writes a graph whose outputs keep their names. */
export function written(g: GraphBuilder, outputs: readonly Value[]): Uint8Array {
  const types = outputs.map((name) => ({ name, ...g.type(name)! }));
  return writeModel(g.graph('case', outputs), types);
}

/** Returns the values of an operand, with two rows if the batch is open. */
export function tensorOf({ dtype }: Case, operand: Operand, seed: number): Tensor | undefined {
  if (operand === '') return undefined;
  if ('constant' in operand) return operand.constant;
  const shape = operand.shape.map((d) => (d < 0 ? 2 : d));
  if ('at' in operand) return cast(dtype, shape, operand.at);
  return values(dtype, shape, operand.low, operand.high, seed);
}

/** Makes other values for the second set: chosen floats stay, chosen integers are reversed, truth values all true. */
function another({ dtype }: Case, operand: Operand, x: Tensor, seed: number): Tensor {
  if (x.dtype === 'bool') return mapped(x, () => 1);
  if (typeof operand === 'object' && 'low' in operand)
    return values(dtype, x.shape, operand.low, operand.high, seed + 50);
  return /int/.test(x.dtype) ? cast(x.dtype, x.shape, numbers(x).reverse()) : x;
}

export const numbers = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number);
const cast = (dtype: Tensor['dtype'], shape: readonly number[], data: readonly number[]): Tensor => {
  const isBig = dtype === 'int64' || dtype === 'uint64';
  const made = isBig
    ? (dtypes[dtype] as BigInt64ArrayConstructor).from(data, (v) => BigInt(v))
    : (dtypes[dtype] as Float32ArrayConstructor).from(data);
  return { dtype, shape, data: made as TensorData } as Tensor;
};
const mapped = (x: Tensor, f: (v: number, k: number) => number): Tensor =>
  cast(x.dtype, x.shape, numbers(x).map(f));
const zeros = (x: Tensor): Tensor => mapped(x, () => 0);
const sumOf = ({ dtype }: Tensor, a: number, b: number): number => (dtype === 'bool' ? a | b : a + b);
