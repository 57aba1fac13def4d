import { castLike, div, equal, mul, neg, number, scale, shift, where } from '../onnx/emit.ts';
import { nary, type Operators, unary } from './operator.ts';
import { castLikeShape, castShape, combined, mapped } from './shape/elementwise.ts';
import { gate, times, type Vjp } from './vjp/rule.ts';

// Elementwise arithmetic. Broadcasting is not seen here: the walk undoes it.

/** A tie shares the cotangent evenly, as PyTorch's elementwise maximum of two does. */
const extremum: Vjp = (c) => {
  const { g, node, y, dy } = c;
  const hits = node.inputs.map((_, i) => castLike(g, equal(g, c.x(i), y), y));
  const ties = hits.length === 1 ? hits[0]! : g.emit('Sum', hits);
  return mul(g, dy, div(g, hits[c.index]!, ties));
};

export const arithmetic = {
  Add: nary({ linear: 'jointly', shape: combined((a, b) => a! + b!), vjp: ({ dy }) => dy }),
  Sum: nary({
    linear: 'jointly',
    shape: combined((...v) => v.reduce((a, b) => a + b)),
    vjp: ({ dy }) => dy,
  }),
  Mean: nary({
    linear: 'jointly',
    shape: combined((...v) => v.reduce((a, b) => a + b) / v.length),
    vjp: ({ g, node, dy }) => scale(g, dy, 1 / node.inputs.length),
  }),
  Sub: nary({
    linear: 'jointly',
    shape: combined((a, b) => a! - b!),
    vjp: [({ dy }) => dy, ({ g, dy }) => neg(g, dy)],
  }),
  Mul: nary({
    linear: 'each',
    shape: combined((a, b) => a! * b!),
    vjp: [({ g, x, dy }) => mul(g, dy, x(1)), ({ g, x, dy }) => mul(g, dy, x(0))],
  }),
  Div: nary({
    linear: 'first',
    shape: combined((a, b) => a! / b!),
    vjp: [
      ({ g, x, dy }) => div(g, dy, x(1)),
      ({ g, x, y, dy }) => neg(g, div(g, mul(g, dy, y), x(1))), // d(a/b)/db = -(a/b)/b
    ],
  }),
  Max: nary({ shape: combined(Math.max), vjp: extremum }),
  Min: nary({ shape: combined(Math.min), vjp: extremum }),
  Pow: nary({
    data: 1, // the exponent is mostly a constant
    shape: combined((a, b) => a! ** b!),
    vjp: [
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
  }),
  Mod: nary({
    data: 1,
    shape: combined((a, b) => a! - b! * Math.floor(a! / b!)),
    vjp: [({ dy }) => dy], // the divisor's derivative would be that of counting how often it fits
  }),
  Where: nary({
    shape: combined((condition, a, b) => (condition ? a! : b!), undefined, 1),
    vjp: [null, ({ g, x, dy }) => gate(g, x(0), dy), ({ g, x, dy }) => where(g, x(0), number(g, 0, dy), dy)],
  }),
  Neg: unary({ linear: 'jointly', shape: mapped((v) => -v), vjp: [({ g, dy }) => neg(g, dy)] }),
  Abs: unary({ shape: mapped(Math.abs), vjp: [times(({ g, x }) => g.emit('Sign', [x(0)]))] }),
  Exp: unary({ vjp: [times(({ y }) => y)] }),
  Log: unary({ vjp: [({ g, x, dy }) => div(g, dy, x(0))] }),
  Sqrt: unary({ shape: mapped(Math.sqrt), vjp: [({ g, y, dy }) => div(g, scale(g, dy, 0.5), y)] }),
  Reciprocal: unary({ shape: mapped((v) => 1 / v), vjp: [times(({ g, y }) => neg(g, mul(g, y, y)))] }),
  // Piecewise constant.
  Sign: unary({ shape: mapped(Math.sign), vjp: [null] }),
  Floor: unary({ shape: mapped(Math.floor), vjp: [null] }),
  Ceil: unary({ shape: mapped(Math.ceil), vjp: [null] }),
  Round: unary({
    shape: mapped((v) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v))),
    vjp: [null],
  }),
  Cast: unary({
    since: (node) => ('saturate' in node.attributes || 'round_mode' in node.attributes ? null : 18),
    linear: 'jointly',
    shape: castShape,
    vjp: [({ g, x, dy }) => castLike(g, dy, x(0))],
  }),
  CastLike: unary({
    since: null,
    linear: 'jointly',
    shape: castLikeShape,
    vjp: [({ g, x, dy }) => castLike(g, dy, x(0)), null],
  }),
} satisfies Operators;
