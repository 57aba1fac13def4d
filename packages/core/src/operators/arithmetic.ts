import { castLike, div, equal, mul, neg, number, scale, shift, where } from '../onnx/emit.ts';
import { gate, times, type Vjp, type VjpRules } from './vjp/rule.ts';

// Elementwise arithmetic. Broadcasting is not seen here: the walk undoes it.

/** A tie shares the cotangent evenly, as PyTorch's elementwise maximum of two does. */
const extremum: Vjp = (c) => {
  const { g, node, y, dy } = c;
  const hits = node.inputs.map((_, i) => castLike(g, equal(g, c.x(i), y), y));
  const ties = hits.length === 1 ? hits[0]! : g.emit('Sum', hits);
  return mul(g, dy, div(g, hits[c.index]!, ties));
};

export const arithmetic: VjpRules = {
  Add: ({ dy }) => dy,
  Sum: ({ dy }) => dy,
  Sub: [({ dy }) => dy, ({ g, dy }) => neg(g, dy)],
  Mul: [({ g, x, dy }) => mul(g, dy, x(1)), ({ g, x, dy }) => mul(g, dy, x(0))],
  Div: [
    ({ g, x, dy }) => div(g, dy, x(1)),
    ({ g, x, y, dy }) => neg(g, div(g, mul(g, dy, y), x(1))), // d(a/b)/db = -(a/b)/b
  ],
  Mean: ({ g, node, dy }) => scale(g, dy, 1 / node.inputs.length),
  Max: extremum,
  Min: extremum,
  Pow: [
    ({ g, x, dy }) => {
      if (g.elements(x(1))?.every((p) => p === 2)) return mul(g, dy, scale(g, x(0), 2));
      const p = castLike(g, x(1), x(0));
      return mul(g, dy, mul(g, p, g.emit('Pow', [x(0), shift(g, p, -1)]))); // p·xᵖ⁻¹
    },
    ({ g, x, y, dy }) => {
      const zero = equal(g, x(0), number(g, 0, dy)); // where xᵖ·ln x is taken to be 0
      return mul(g, dy, mul(g, y, g.emit('Log', [where(g, zero, number(g, 1, dy), x(0))])));
    },
  ],
  Neg: [({ g, dy }) => neg(g, dy)],
  Abs: [times(({ g, x }) => g.emit('Sign', [x(0)]))],
  Exp: [times(({ y }) => y)],
  Log: [({ g, x, dy }) => div(g, dy, x(0))],
  Sqrt: [({ g, y, dy }) => div(g, scale(g, dy, 0.5), y)],
  Reciprocal: [times(({ g, y }) => neg(g, mul(g, y, y)))],
  Where: [null, ({ g, x, dy }) => gate(g, x(0), dy), ({ g, x, dy }) => where(g, x(0), number(g, 0, dy), dy)],
  Cast: [({ g, x, dy }) => castLike(g, dy, x(0))],
  CastLike: [({ g, x, dy }) => castLike(g, dy, x(0)), null],
  // The divisor stays without a rule: its derivative is that of counting how often it fits.
  Mod: [({ dy }) => dy],
  // Piecewise constant.
  Sign: [null],
  Floor: [null],
  Ceil: [null],
  Round: [null],
};
