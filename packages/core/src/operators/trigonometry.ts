import { div, mul, neg, number, shift, sub } from '../onnx/emit.ts';
import { type Operators, unary } from './operator.ts';
import { type RuleContext, times } from './vjp/rule.ts';

// Circular and hyperbolic functions, and their inverses.

/** 1 - x² */
const complement = ({ g, x }: RuleContext) => sub(g, number(g, 1, x(0)), mul(g, x(0), x(0)));
const rootOf = ({ g }: RuleContext, value: string) => g.emit('Sqrt', [value]);

export const trigonometry = {
  Sin: unary({ vjp: [times(({ g, x }) => g.emit('Cos', [x(0)]))] }),
  Cos: unary({ vjp: [times(({ g, x }) => neg(g, g.emit('Sin', [x(0)])))] }),
  Tan: unary({ vjp: [times(({ g, y }) => shift(g, mul(g, y, y), 1))] }),
  Asin: unary({ vjp: [(c) => div(c.g, c.dy, rootOf(c, complement(c)))] }),
  Acos: unary({ vjp: [(c) => neg(c.g, div(c.g, c.dy, rootOf(c, complement(c))))] }),
  Atan: unary({ vjp: [({ g, x, dy }) => div(g, dy, shift(g, mul(g, x(0), x(0)), 1))] }),
  Sinh: unary({ vjp: [times(({ g, x }) => g.emit('Cosh', [x(0)]))] }),
  Cosh: unary({ vjp: [times(({ g, x }) => g.emit('Sinh', [x(0)]))] }),
  Tanh: unary({ vjp: [times(({ g, y }) => sub(g, number(g, 1, y), mul(g, y, y)))] }),
  Asinh: unary({ vjp: [(c) => div(c.g, c.dy, rootOf(c, shift(c.g, mul(c.g, c.x(0), c.x(0)), 1)))] }),
  Acosh: unary({ vjp: [(c) => div(c.g, c.dy, rootOf(c, shift(c.g, mul(c.g, c.x(0), c.x(0)), -1)))] }),
  Atanh: unary({ vjp: [(c) => div(c.g, c.dy, complement(c))] }),
} satisfies Operators;
