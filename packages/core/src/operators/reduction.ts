import type { Expression } from '../onnx/expression.ts';
import { int } from '../onnx/graph.ts';
import { sizeOf } from '../tensor.ts';
import { type Operators, operator } from './operator.ts';
import { reducedRows as rows } from './rows.ts';
import { reducedAxes, reducedShape } from './shape/reduction.ts';
import { given, type RuleContext, type Vjp } from './vjp/rule.ts';

// Reductions. The cotangent is broadcast back over the reduced axes.

export const reductionAxes = (c: RuleContext): number[] =>
  reducedAxes(c.x(0).shape.length, given(c, 1)?.elements, int(c.node, 'noop_with_empty_axes', 0) === 1);

/** Reshapes a reduced value to keep its reduced axes with size 1. */
export function kept(c: RuleContext, value: Expression): Expression {
  const axes = reductionAxes(c);
  return value.reshape(c.x(0).shape.map((d, i) => (axes.includes(i) ? 1 : d)));
}

/** Broadcasts dy over the whole input, times `factor`. */
function stretched(c: RuleContext, factor = 1): Expression {
  const x = c.x(0);
  const axes = reductionAxes(c);
  const dy = kept(c, c.dy);
  if (axes.some((a) => x.shape[a]! < 0)) return dy.expandAs(x).mul(factor);
  const stretch = x.shape.map((d, i) => (axes.includes(i) ? d : 1));
  return dy.mul(dy.full(stretch, factor));
}

/** Shares the cotangent of a tie evenly, as PyTorch's amax does. */
const extremum: Vjp = (c) => {
  const hit = c.x(0).equals(kept(c, c.y)).castAs(c.y);
  return kept(c, c.dy).mul(hit.div(hit.sum(reductionAxes(c))));
};

/** Broadcasts dy over the input, divided by the number of elements of each mean. */
const meanShare: Vjp = (c) => {
  const [x, y] = [c.x(0), c.y];
  const counts = reductionAxes(c).map((a) => x.shape[a]!);
  if (counts.every((n) => n > 0)) return stretched(c, 1 / sizeOf(counts));
  const share = y.emit('Size').castAs(y).div(x.emit('Size').castAs(y));
  return stretched(c).mul(share);
};

/** Computes x/‖x‖, and 0 at the origin, as PyTorch does. */
const unitVector = (c: RuleContext): Expression => {
  const norm = kept(c, c.y);
  return c.x(0).div(norm.equals(0).where(1, norm));
};

/** Computes the product of the other factors: by division, except next to zeros. */
const otherFactors = (c: RuleContext): Expression => {
  const x = c.x(0);
  const axes = reductionAxes(c);
  const zero = x.equals(0);
  const filled = zero.where(1, x);
  const rest = axes.length === 0 ? filled : filled.emit('ReduceProd', [x.ints(axes)], { keepdims: 1 });
  const isZero = zero.castAs(x);
  const otherZeros = isZero.sum(axes).sub(isZero);
  return otherZeros.equals(0).where(rest.div(filled), 0);
};

export const reduction = {
  ReduceSum: operator({
    linear: 'jointly',
    rows,
    shape: reducedShape((v) => v.reduce((a, b) => a + b, 0)),
    vjp: [(c) => stretched(c)],
  }),
  ReduceMean: operator({ linear: 'jointly', rows, shape: reducedShape(), vjp: [meanShare] }),
  ReduceMax: operator({ rows, shape: reducedShape((v) => Math.max(...v)), vjp: [extremum] }),
  ReduceMin: operator({ rows, shape: reducedShape((v) => Math.min(...v)), vjp: [extremum] }),
  ReduceProd: operator({
    rows,
    shape: reducedShape((v) => v.reduce((a, b) => a * b, 1)),
    vjp: [(c) => kept(c, c.dy).mul(otherFactors(c))],
  }),
  ReduceL1: operator({ rows, shape: reducedShape(), vjp: [(c) => kept(c, c.dy).mul(c.x(0).sign())] }),
  ReduceL2: operator({ rows, shape: reducedShape(), vjp: [(c) => kept(c, c.dy).mul(unitVector(c))] }),
  ReduceSumSquare: operator({
    rows,
    shape: reducedShape(),
    vjp: [(c) => kept(c, c.dy).mul(2).mul(c.x(0))],
  }),
  ReduceLogSum: operator({
    rows,
    shape: reducedShape(),
    vjp: [(c) => stretched(c).mul(kept(c, c.y).neg().exp())],
  }),
  ReduceLogSumExp: operator({
    rows,
    shape: reducedShape(),
    vjp: [(c) => kept(c, c.dy).mul(c.x(0).sub(kept(c, c.y)).exp())],
  }),
} satisfies Operators;
