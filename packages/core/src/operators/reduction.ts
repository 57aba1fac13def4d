import type { Value } from '../onnx/builder.ts';
import { castLike, div, mul, neg, number, ones, reshape, scale, sub, sum, where } from '../onnx/emit.ts';
import { int } from '../onnx/graph.ts';
import { sizeOf } from '../tensor.ts';
import { type Operators, operator } from './operator.ts';
import { reducedRows as rows } from './rows.ts';
import { reducedAxes, reducedShape } from './shape/reduction.ts';
import type { RuleContext, Vjp } from './vjp/rule.ts';

// Reductions. The cotangent is stretched back over the reduced axes.

export function reductionAxes(c: RuleContext): number[] {
  const given = c.node.inputs[1] ? c.g.elements(c.x(1)) : undefined;
  return reducedAxes(c.shape(0).length, given, int(c.node, 'noop_with_empty_axes', 0) === 1);
}

/** A reduced value with its axes kept as ones. */
export function kept(c: RuleContext, value: Value): Value {
  const axes = reductionAxes(c);
  return reshape(
    c.g,
    value,
    c.shape(0).map((d, i) => (axes.includes(i) ? 1 : d)),
  );
}

/** dy over the whole input, times `factor`. */
function stretched(c: RuleContext, factor = 1): Value {
  const x = c.shape(0);
  const axes = reductionAxes(c);
  if (axes.some((a) => x[a]! < 0))
    return scale(c.g, c.g.emit('Expand', [kept(c, c.dy), c.g.emit('Shape', [c.x(0)])]), factor);
  return mul(
    c.g,
    kept(c, c.dy),
    ones(
      c.g,
      x.map((d, i) => (axes.includes(i) ? d : 1)),
      c.dy,
      factor,
    ),
  );
}

/** A tie shares the cotangent evenly, as PyTorch's amax does. */
const extremum: Vjp = (c) => {
  const { g, x, y, dy } = c;
  const hit = castLike(g, g.emit('Equal', [x(0), kept(c, y)]), y);
  return mul(g, kept(c, dy), div(g, hit, sum(g, hit, reductionAxes(c))));
};

/** The mean's share: dy over the input, divided by how many elements went into each output. */
const meanShare: Vjp = (c) => {
  const { g, x, y } = c;
  const counts = reductionAxes(c).map((a) => c.shape(0)[a]!);
  if (counts.every((n) => n > 0)) return stretched(c, 1 / sizeOf(counts));
  const share = div(g, castLike(g, g.emit('Size', [y]), y), castLike(g, g.emit('Size', [x(0)]), y));
  return mul(g, stretched(c), share);
};

/** x/‖x‖, and 0 at the origin, as PyTorch has it. */
const unitVector = (c: RuleContext): Value => {
  const { g, x, y } = c;
  const norm = kept(c, y);
  const one = number(g, 1, norm);
  return div(g, x(0), where(g, g.emit('Equal', [norm, number(g, 0, norm)]), one, norm));
};

/** The product of the other factors: found by division, except next to zeros. */
const otherFactors = (c: RuleContext): Value => {
  const { g, x } = c;
  const zero = g.emit('Equal', [x(0), number(g, 0, x(0))]);
  const filled = where(g, zero, number(g, 1, x(0)), x(0));
  const rest =
    reductionAxes(c).length === 0
      ? filled
      : g.emit('ReduceProd', [filled, g.ints(reductionAxes(c))], { keepdims: 1 });
  const isZero = castLike(g, zero, x(0));
  const otherZeros = sub(g, sum(g, isZero, reductionAxes(c)), isZero);
  return where(
    g,
    g.emit('Equal', [otherZeros, number(g, 0, x(0))]),
    div(g, rest, filled),
    number(g, 0, x(0)),
  );
};

const sign = (c: RuleContext): Value => c.g.emit('Sign', [c.x(0)]);

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
    vjp: [(c) => mul(c.g, kept(c, c.dy), otherFactors(c))],
  }),
  ReduceL1: operator({ rows, shape: reducedShape(), vjp: [(c) => mul(c.g, kept(c, c.dy), sign(c))] }),
  ReduceL2: operator({ rows, shape: reducedShape(), vjp: [(c) => mul(c.g, kept(c, c.dy), unitVector(c))] }),
  ReduceSumSquare: operator({
    rows,
    shape: reducedShape(),
    vjp: [(c) => mul(c.g, scale(c.g, kept(c, c.dy), 2), c.x(0))],
  }),
  ReduceLogSum: operator({
    rows,
    shape: reducedShape(),
    vjp: [(c) => mul(c.g, stretched(c), c.g.emit('Exp', [neg(c.g, kept(c, c.y))]))],
  }),
  ReduceLogSumExp: operator({
    rows,
    shape: reducedShape(),
    vjp: [(c) => mul(c.g, kept(c, c.dy), c.g.emit('Exp', [sub(c.g, c.x(0), kept(c, c.y))]))],
  }),
} satisfies Operators;
