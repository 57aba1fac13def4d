import { sumOf } from '../onnx/expression.ts';
import { nary, type Operators, unary } from './operator.ts';
import { castLikeShape, castShape, combined, mapped } from './shape/elementwise.ts';
import { times, type Vjp } from './vjp/rule.ts';

// Elementwise arithmetic. These rules ignore broadcasting: the walk undoes it.

/** A tie shares the cotangent evenly, as PyTorch's elementwise maximum of two does. */
const extremum: Vjp = (c) => {
  const { node, y, dy } = c;
  const hits = node.inputs.map((_, i) => c.x(i).equals(y).castAs(y));
  return dy.mul(hits[c.index]!.div(sumOf(hits)));
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
    vjp: ({ node, dy }) => dy.mul(1 / node.inputs.length),
  }),
  Sub: nary({
    linear: 'jointly',
    shape: combined((a, b) => a! - b!),
    vjp: [({ dy }) => dy, ({ dy }) => dy.neg()],
  }),
  Mul: nary({
    linear: 'each',
    shape: combined((a, b) => a! * b!),
    vjp: [({ x, dy }) => dy.mul(x(1)), ({ x, dy }) => dy.mul(x(0))],
  }),
  Div: nary({
    linear: 'first',
    shape: combined((a, b) => a! / b!),
    vjp: [
      ({ x, dy }) => dy.div(x(1)),
      ({ x, y, dy }) => dy.mul(y).div(x(1)).neg(), // d(a/b)/db = -(a/b)/b
    ],
  }),
  Max: nary({ shape: combined(Math.max), vjp: extremum }),
  Min: nary({ shape: combined(Math.min), vjp: extremum }),
  Pow: nary({
    data: 1, // the exponent is mostly a constant
    shape: combined((a, b) => a! ** b!),
    vjp: [
      ({ x, dy }) => {
        if (x(1).elements?.every((p) => p === 2)) return dy.mul(x(0).mul(2));
        const p = x(1).castAs(x(0));
        return dy.mul(p.mul(x(0).pow(p.add(-1)))); // p·xᵖ⁻¹
      },
      ({ x, y, dy }) => {
        const zero = x(0).equals(0); // where xᵖ·ln x is taken to be 0
        return dy.mul(y.mul(zero.where(1, x(0)).log()));
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
    vjp: [null, ({ x, dy }) => dy.gate(x(0)), ({ x, dy }) => x(0).where(0, dy)],
  }),
  Neg: unary({ linear: 'jointly', shape: mapped((v) => -v), vjp: [({ dy }) => dy.neg()] }),
  Abs: unary({ shape: mapped(Math.abs), vjp: [times((x) => x.sign())] }),
  Exp: unary({ vjp: [times((_, y) => y)] }),
  Log: unary({ vjp: [({ x, dy }) => dy.div(x(0))] }),
  Sqrt: unary({ shape: mapped(Math.sqrt), vjp: [({ y, dy }) => dy.mul(0.5).div(y)] }),
  Reciprocal: unary({ shape: mapped((v) => 1 / v), vjp: [times((_, y) => y.square().neg())] }),
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
    vjp: [({ x, dy }) => dy.castAs(x(0))],
  }),
  CastLike: unary({
    since: null,
    linear: 'jointly',
    shape: castLikeShape,
    vjp: [({ x, dy }) => dy.castAs(x(0)), null],
  }),
} satisfies Operators;
