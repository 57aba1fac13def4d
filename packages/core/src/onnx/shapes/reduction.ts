import { int, text } from '../graph.ts';
import { axisOf, broadcast, type Fact, type ShapeContext, ShapeError, type ShapeRule, type ShapeRules } from './fact.ts';

/** Axes of a reduction, from its second input; all of them when it is absent. */
export function reducedAxes(rank: number, axes: readonly number[] | undefined, noop: boolean): number[] {
  if (!axes || axes.length === 0) return noop ? [] : Array.from({ length: rank }, (_, i) => i);
  return axes.map((a) => axisOf(a, rank));
}

const reduce =
  (fold?: (values: readonly number[]) => number): ShapeRule =>
  (c) => {
    const { dtype, shape, value } = c.x(0);
    const noop = int(c.node, 'noop_with_empty_axes', 0) === 1;
    const axes = reducedAxes(shape.length, c.has(1) ? c.value(1) : undefined, noop);
    const keep = int(c.node, 'keepdims', 1) === 1;
    const out = shape.map((d, i) => (axes.includes(i) ? 1 : d)).filter((_, i) => keep || !axes.includes(i));
    const whole = fold && value && axes.length === shape.length ? [fold(value)] : undefined;
    return [{ dtype, shape: out, value: whole }];
  };

const argument: ShapeRule = (c) => {
  const { shape } = c.x(0);
  const axis = axisOf(int(c.node, 'axis', 0), shape.length);
  const keep = int(c.node, 'keepdims', 1) === 1;
  return [{ dtype: 'int64', shape: shape.flatMap((d, i) => (i === axis ? (keep ? [1] : []) : [d])) }];
};

function matmul(c: ShapeContext): readonly Fact[] {
  const a = c.x(0).shape;
  const b = c.x(1).shape;
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  if (left.at(-1) !== right.at(-2)) throw new ShapeError(`MatMul of [${a}] with [${b}]`);
  const batch = broadcast(left.slice(0, -2), right.slice(0, -2));
  const tail = [...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])];
  return [{ dtype: c.x(0).dtype, shape: [...batch, ...tail] }];
}

/** Sizes by letter of an Einsum equation, and its output's letters. Ellipses are not supported. */
export function einsumLetters(equation: string, shapes: readonly (readonly number[])[]) {
  const [left = '', right] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (equation.includes('...')) throw new ShapeError('Einsum with an ellipsis is not supported');
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term].forEach((letter, axis) => {
      sizes.set(letter, Math.max(sizes.get(letter) ?? 1, shapes[i]![axis]!));
    });
  });
  const once = [...sizes.keys()].filter((l) => left.split(l).length === 2).sort();
  return { terms, output: right ?? once.join(''), sizes };
}

export const reduction: ShapeRules = {
  ReduceSum: reduce((v) => v.reduce((a, b) => a + b, 0)),
  ReduceProd: reduce((v) => v.reduce((a, b) => a * b, 1)),
  ReduceMax: reduce((v) => Math.max(...v)),
  ReduceMin: reduce((v) => Math.min(...v)),
  ReduceMean: reduce(),
  ReduceL1: reduce(),
  ReduceL2: reduce(),
  ReduceLogSum: reduce(),
  ReduceLogSumExp: reduce(),
  ReduceSumSquare: reduce(),
  ArgMax: argument,
  ArgMin: argument,
  MatMul: matmul,
  Gemm(c) {
    const a = int(c.node, 'transA', 0) ? c.x(0).shape.toReversed() : c.x(0).shape;
    const b = int(c.node, 'transB', 0) ? c.x(1).shape.toReversed() : c.x(1).shape;
    if (a.length !== 2 || b.length !== 2 || a[1] !== b[0]) throw new ShapeError(`Gemm of [${a}] with [${b}]`);
    return [{ dtype: c.x(0).dtype, shape: [a[0]!, b[1]!] }];
  },
  Einsum(c) {
    const shapes = Array.from({ length: c.count }, (_, i) => c.x(i).shape);
    const { output, sizes } = einsumLetters(text(c.node, 'equation', ''), shapes);
    return [{ dtype: c.x(0).dtype, shape: [...output].map((l) => sizes.get(l)!) }];
  },
};
