import { div, mul, neg, ones, reshape, scale, sub, sum } from '../../onnx/emit.ts';
import type { Value } from '../../onnx/builder.ts';
import { int } from '../../onnx/graph.ts';
import { reducedAxes } from '../../onnx/shapes/reduction.ts';
import type { RuleContext, Vjp, VjpRules } from '../rule.ts';

// Reductions. The cotangent is stretched back over the reduced axes.

function axesOf(c: RuleContext): number[] {
  const given = c.node.inputs[1] ? c.g.elements(c.x(1)) : undefined;
  return reducedAxes(c.shape(0).length, given, int(c.node, 'noop_with_empty_axes', 0) === 1);
}

/** A reduced value with its axes kept as ones. */
function kept(c: RuleContext, value: Value): Value {
  const axes = axesOf(c);
  return reshape(c.g, value, c.shape(0).map((d, i) => (axes.includes(i) ? 1 : d)));
}

/** dy over the whole input, times `factor`. */
function stretched(c: RuleContext, factor = 1): Value {
  const x = c.shape(0);
  const axes = axesOf(c);
  if (axes.some((a) => x[a]! < 0)) return scale(c.g, c.g.emit('Expand', [kept(c, c.dy), c.g.emit('Shape', [c.x(0)])]), factor);
  return mul(c.g, kept(c, c.dy), ones(c.g, x.map((d, i) => (axes.includes(i) ? d : 1)), c.dy, factor));
}

/** A tie shares the cotangent evenly, as PyTorch's amax does. */
const extremum: Vjp = (c) => {
  const { g, x, y, dy } = c;
  const hit = g.emit('Cast', [g.emit('Equal', [x(0), kept(c, y)])], { to: 1 });
  return mul(g, kept(c, dy), div(g, hit, sum(g, hit, axesOf(c))));
};

const count = (c: RuleContext): number => axesOf(c).reduce((n, a) => n * c.shape(0)[a]!, 1);

const sign = (c: RuleContext): Value => c.g.emit('Sign', [c.x(0)]);

export const reduction: VjpRules = {
  ReduceSum: [(c) => stretched(c), null],
  ReduceMean: [(c) => stretched(c, 1 / count(c)), null],
  ReduceMax: [extremum, null],
  ReduceMin: [extremum, null],
  ReduceL1: [(c) => mul(c.g, kept(c, c.dy), sign(c)), null],
  ReduceL2: [(c) => mul(c.g, div(c.g, kept(c, c.dy), kept(c, c.y)), c.x(0)), null],
  ReduceSumSquare: [(c) => mul(c.g, scale(c.g, kept(c, c.dy), 2), c.x(0)), null],
  ReduceLogSum: [(c) => mul(c.g, stretched(c), c.g.emit('Exp', [neg(c.g, kept(c, c.y))])), null],
  ReduceLogSumExp: [(c) => mul(c.g, kept(c, c.dy), c.g.emit('Exp', [sub(c.g, c.x(0), kept(c, c.y))])), null],
  ReduceProd: [(c) => div(c.g, mul(c.g, kept(c, c.dy), kept(c, c.y)), c.x(0)), null],
};
