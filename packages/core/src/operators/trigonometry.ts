import type { Expression } from '../onnx/expression.ts';
import { type Operators, unary } from './operator.ts';
import { times } from './vjp/rule.ts';

// Circular and hyperbolic functions, and their inverses.

/** 1 - x² */
const complement = (x: Expression) => x.square().oneMinus();

export const trigonometry = {
  Sin: unary({ vjp: [times((x) => x.emit('Cos'))] }),
  Cos: unary({ vjp: [times((x) => x.emit('Sin').neg())] }),
  Tan: unary({ vjp: [times((_, y) => y.square().add(1))] }),
  Asin: unary({ vjp: [({ x, dy }) => dy.div(complement(x(0)).sqrt())] }),
  Acos: unary({ vjp: [({ x, dy }) => dy.div(complement(x(0)).sqrt()).neg()] }),
  Atan: unary({ vjp: [({ x, dy }) => dy.div(x(0).square().add(1))] }),
  Sinh: unary({ vjp: [times((x) => x.emit('Cosh'))] }),
  Cosh: unary({ vjp: [times((x) => x.emit('Sinh'))] }),
  Tanh: unary({ vjp: [times((_, y) => complement(y))] }),
  Asinh: unary({ vjp: [({ x, dy }) => dy.div(x(0).square().add(1).sqrt())] }),
  Acosh: unary({ vjp: [({ x, dy }) => dy.div(x(0).square().add(-1).sqrt())] }),
  Atanh: unary({ vjp: [({ x, dy }) => dy.div(complement(x(0)))] }),
} satisfies Operators;
