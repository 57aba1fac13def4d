import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { type Fact, ShapeError } from '../onnx/fact.ts';
import { int, type Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { reducedAxes } from '../operators/shape/reduction.ts';
import { broadcast, broadcastOffsets } from '../operators/shape/rule.ts';
import { operators } from '../operators/table.ts';
import { sizeOf } from '../tensor.ts';

// Before a network outputs its probabilities, it may cut, pick, permute, join, scale or average them. All these steps
// are linear, so each number of an output is a weighted sum of numbers that a squashing function computed.

/** Functions that turn scores into probabilities or their logarithms, or that bound scores. */
export const squashing: ReadonlySet<OperatorName> = new Set([
  'Softmax',
  'LogSoftmax',
  'Sigmoid',
  'LogSigmoid',
  'HardSigmoid',
  'Tanh',
]);

/** A number of a squashing function's output, and its weight in a sum. */
export interface Term {
  /** Index of the squashing function in the list of nodes. */
  readonly node: number;
  readonly image: number;
  /** Index among the numbers of its image. */
  readonly element: number;
  readonly weight: number;
}

export interface Sum {
  readonly constant: number;
  readonly terms: readonly Term[];
}

/** A value as sums, at the first batch size that is followed; or, with `logarithm`, as logarithms of single terms. */
interface Described {
  readonly shape: readonly number[];
  readonly sums: readonly Sum[];
  readonly logarithm: boolean;
}

/** The sum for each number of an output that belongs to one image. */
export interface Squashed {
  readonly nodes: readonly Node[];
  readonly sums: readonly Sum[];
  readonly logarithm: boolean;
}

const mostElements = 2 ** 18;
const mostTerms = 2 ** 20;
const deepest = 200;
/** Bound of the number that is added to avoid the logarithm of 0. */
const tiny = 1e-3;

/** Writes an output as sums of the squashing functions' numbers before it; `undefined` if it is something else. */
export function squashedSums(g: GraphBuilder, output: Value, images: number): Squashed | undefined {
  const reader = new Reader(g, images);
  const described = reader.read(output, 0);
  if (!described || reader.nodes.length === 0) return undefined;
  const count = described.sums.length / images;
  const sums = described.sums.slice(0, count);
  const alike = described.sums.every(({ constant, terms }, i) => {
    const first = sums[i % count]!;
    const image = Math.floor(i / count);
    return (
      constant === first.constant &&
      terms.length === first.terms.length &&
      terms.every(
        (term, k) =>
          term.image === image &&
          term.node === first.terms[k]!.node &&
          term.element === first.terms[k]!.element &&
          term.weight === first.terms[k]!.weight,
      )
    );
  });
  if (!Number.isInteger(count) || !alike || !sums.some(({ terms }) => terms.length > 0)) return undefined;
  return { nodes: reader.nodes, sums, logarithm: described.logarithm };
}

class Reader {
  readonly nodes: Node[] = [];
  private readonly g: GraphBuilder;
  private readonly images: number;
  private readonly known = new Map<Value, Described | undefined>();
  private terms = 0;

  constructor(g: GraphBuilder, images: number) {
    this.g = g;
    this.images = images;
  }

  read(value: Value, depth: number): Described | undefined {
    if (this.known.has(value)) return this.known.get(value);
    this.known.set(value, undefined);
    const fact = this.g.factOf(value);
    const fits = fact && sizeOf(fact.shape) <= mostElements && depth < deepest && this.terms < mostTerms;
    const found = fits ? this.readFitting(value, fact, depth) : undefined;
    this.terms += found?.sums.reduce((n, { terms }) => n + terms.length, 0) ?? 0;
    this.known.set(value, found);
    return found;
  }

  private readFitting(value: Value, { shape }: Fact, depth: number): Described | undefined {
    const { g } = this;
    if (!g.dependsOnInputs(value)) {
      const numbers = g.constants.get(value)?.data ?? g.elements(value);
      if (!numbers || numbers.length !== sizeOf(shape)) return undefined;
      const sums = Array.from(numbers as ArrayLike<number | bigint>, (v) => ({
        constant: Number(v),
        terms: [],
      }));
      return { shape, sums, logarithm: false };
    }
    const node = g.maker(value);
    if (!node) return undefined;
    if (squashing.has(node.op)) return this.squashed(node, shape);
    const inputs = (count = node.inputs.length) => {
      const read = node.inputs.slice(0, count).map((input) => this.read(input, depth + 1));
      return read.every((d) => d !== undefined) ? read : undefined;
    };
    if (operators[node.op].movement !== 'no' && operators[node.op].shape) {
      const moved = inputs(node.op === 'Concat' ? undefined : 1);
      return moved && this.moved(node, node.outputs.indexOf(value), shape, moved);
    }
    return combined(g, node, shape, inputs);
  }

  private squashed(node: Node, shape: readonly number[]): Described | undefined {
    const size = sizeOf(shape);
    if (size === 0 || size % this.images !== 0) return undefined;
    const each = size / this.images;
    const place = this.nodes.push(node) - 1;
    const sums = Array.from({ length: size }, (_, i) => ({
      constant: 0,
      terms: [{ node: place, image: Math.floor(i / each), element: i % each, weight: 1 }],
    }));
    return { shape, sums, logarithm: node.op === 'LogSoftmax' || node.op === 'LogSigmoid' };
  }

  /** Moves elements: the operator's shape rule moves their indices as it moves the numbers that shapes consist of. */
  private moved(
    node: Node,
    output: number,
    shape: readonly number[],
    inputs: readonly Described[],
  ): Described | undefined {
    const { logarithm } = inputs[0]!;
    if (inputs.some((input) => input.logarithm !== logarithm)) return undefined;
    if (node.op === 'Concat') return joined(int(node, 'axis', 0), shape, inputs);
    const [{ sums, shape: from }] = inputs as [Described];
    const places = { dtype: 'float32', shape: from, value: sums.map((_, i) => i) } as const;
    try {
      const made = this.g.inferredFrom(node, new Map([[node.inputs[0]!, places]]))[output]?.value;
      if (made?.length !== sizeOf(shape)) return undefined;
      return { shape, sums: made.map((i) => sums[i]!), logarithm };
    } catch (error) {
      if (error instanceof ShapeError) return undefined;
      throw error;
    }
  }
}

function joined(along: number, shape: readonly number[], inputs: readonly Described[]): Described {
  const axis = along < 0 ? along + shape.length : along;
  const inner = sizeOf(shape.slice(axis + 1));
  const sums: Sum[] = [];
  for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++)
    for (const input of inputs) {
      const run = input.shape[axis]! * inner;
      for (let i = 0; i < run; i++) sums.push(input.sums[outer * run + i]!);
    }
  return { shape, sums, logarithm: inputs[0]!.logarithm };
}

type Inputs = (count?: number) => readonly Described[] | undefined;

/** Applies an arithmetic operator to sums. */
function combined(
  g: GraphBuilder,
  node: Node,
  shape: readonly number[],
  inputs: Inputs,
): Described | undefined {
  const spread = ({ shape: from, sums }: Described) =>
    Array.from(broadcastOffsets(from, shape), (offset) => sums[offset]!);
  const elementwise = (f: (...sums: Sum[]) => Sum | undefined): Described | undefined => {
    const read = inputs();
    if (!read || read.some(({ logarithm }) => logarithm)) return undefined;
    if (broadcast(...read.map((d) => d.shape)).join() !== shape.join()) return undefined;
    const columns = read.map(spread);
    const sums = columns[0]!.map((_, i) => f(...columns.map((column) => column[i]!)));
    return sums.every((sum) => sum !== undefined) ? { shape, sums, logarithm: false } : undefined;
  };
  const over = (axes: readonly number[], share: number) => {
    const [read] = inputs(1) ?? [];
    return read && !read.logarithm ? reduced(read, axes, shape, share) : undefined;
  };
  switch (node.op) {
    case 'Add':
    case 'Sum':
      return elementwise((...sums) => total(sums));
    case 'Mean':
      return elementwise((...sums) => times(total(sums), 1 / sums.length));
    case 'Sub':
      return elementwise((a, b) => total([a!, times(b!, -1)]));
    case 'Neg':
      return elementwise((a) => times(a!, -1));
    case 'Mul':
      return elementwise((a, b) =>
        isNumber(a!) ? times(b!, a!.constant) : isNumber(b!) ? times(a!, b!.constant) : undefined,
      );
    case 'Div':
      return elementwise((a, b) =>
        isNumber(b!) && b!.constant !== 0 ? times(a!, 1 / b!.constant) : undefined,
      );
    case 'ReduceSum':
    case 'ReduceMean': {
      const rank = g.shape(node.inputs[0]!).length;
      const given = node.inputs[1] ? g.elements(node.inputs[1]) : undefined;
      const axes = reducedAxes(rank, given, int(node, 'noop_with_empty_axes', 0) === 1);
      const from = g.factOf(node.inputs[0]!)!.shape;
      return over(axes, node.op === 'ReduceSum' ? 1 : 1 / sizeOf(axes.map((axis) => from[axis]!)));
    }
    case 'GlobalAveragePool': {
      const from = g.factOf(node.inputs[0]!)!.shape;
      return over([...from.keys()].slice(2), 1 / sizeOf(from.slice(2)));
    }
    // A clipped, rounded or cast value is still approximately the same value.
    case 'Cast':
    case 'CastLike':
    case 'Clip':
    case 'Round':
      return g.dtype(node.outputs[0]!).startsWith('float') ? inputs(1)?.[0] : undefined;
    case 'Max':
    case 'Min': {
      const moving = node.inputs.filter((input) => g.dependsOnInputs(input));
      const read = moving.length === 1 ? inputs() : undefined;
      const kept = read?.find(({ sums }) => sums.some(({ terms }) => terms.length > 0));
      return kept?.shape.join() === shape.join() ? kept : undefined;
    }
    case 'Log':
      return logarithms(inputs(1)?.[0]);
    case 'Exp': {
      const [read] = inputs(1) ?? [];
      return read?.logarithm ? { ...read, logarithm: false } : undefined;
    }
    default:
      return undefined;
  }
}

/** Takes the logarithm of probabilities, each of which is one number plus at most the small term against log 0. */
function logarithms(read: Described | undefined): Described | undefined {
  const single = read?.sums.every(
    ({ constant, terms }) =>
      Math.abs(constant) < tiny && terms.length === 1 && Math.abs(terms[0]!.weight - 1) < tiny,
  );
  return read && single && !read.logarithm ? { ...read, logarithm: true } : undefined;
}

const isNumber = ({ terms }: Sum): boolean => terms.length === 0;

const times = ({ constant, terms }: Sum, factor: number): Sum => ({
  constant: constant * factor,
  terms: factor === 0 ? [] : terms.map((term) => ({ ...term, weight: term.weight * factor })),
});

function total(sums: readonly Sum[]): Sum {
  const terms = new Map<string, Term>();
  for (const term of sums.flatMap((sum) => sum.terms)) {
    const key = `${term.node},${term.image},${term.element}`;
    terms.set(key, { ...term, weight: term.weight + (terms.get(key)?.weight ?? 0) });
  }
  return {
    constant: sums.reduce((all, { constant }) => all + constant, 0),
    terms: [...terms.values()].filter(({ weight }) => weight !== 0),
  };
}

/** Adds up sums over axes and multiplies by `share`; the remaining places keep their order. */
function reduced(
  { shape: from, sums }: Described,
  axes: readonly number[],
  shape: readonly number[],
  share: number,
): Described {
  const kept = from.map((d, axis) => (axes.includes(axis) ? 1 : d));
  const groups = Array.from({ length: sizeOf(kept) }, (): Sum[] => []);
  let i = 0;
  for (const place of broadcastOffsets(kept, from)) groups[place]!.push(sums[i++]!);
  return { shape, sums: groups.map((group) => times(total(group), share)), logarithm: false };
}
