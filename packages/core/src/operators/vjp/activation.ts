import type { Expression, Operand } from '../../onnx/expression.ts';
import { partOf } from './part.ts';
import type { RuleContext, Vjp } from './rule.ts';

// Building blocks of activations' slopes.

/** Tells where a clipped value is inside its bounds; `undefined` if it has no bounds. */
export function between(
  y: Expression,
  low: Expression | undefined,
  high: Expression | undefined,
): Expression | undefined {
  const above = low && y.isGreater(low);
  const below = high && y.isLess(high);
  return above && below ? above.and(below) : (above ?? below);
}

/** Multiplies dy by one slope above zero and by another slope below. */
export const slopes =
  (above: (c: RuleContext) => number, below: (x: Expression, c: RuleContext) => Operand): Vjp =>
  (c) => {
    const x = c.x(0);
    return x.isGreater(0).where(c.dy.mul(above(c)), c.dy.mul(below(x, c)));
  };

/** Computes GELU's derivative if the file spells Φ(x), or 2·Φ(x): Φ + x·φ with x·φ = u·exp(-u²)/√π, u = x/√2. */
export function spelledGelu(c: RuleContext): Expression | undefined {
  const scaled = partOf(c, 'scaled');
  if (scaled === undefined) return undefined;
  const { dy } = c;
  const density = scaled.div(scaled.square().exp());
  const single = partOf(c, 'cumulative');
  if (single !== undefined) return dy.mul(single.add(density.mul(1 / Math.sqrt(Math.PI))));
  const twice = partOf(c, 'twice') ?? partOf(c, 'erf')!.add(1);
  return dy.mul(0.5).mul(twice.add(density.mul(2 / Math.sqrt(Math.PI))));
}

/** 1/√(2π) · exp(-x²/2) */
export const normalDensity = (x: Expression): Expression => x.square().mul(-0.5).exp().mul(peak);
const peak = 1 / Math.sqrt(2 * Math.PI);

export const normalCumulative = (x: Expression): Expression =>
  x.mul(Math.SQRT1_2).emit('Erf').add(1).mul(0.5);

/** Computes the derivative of GELU's tanh form, u = √(2/π)(x + 0.044715x³). */
export function tanhGeluSlope(x: Expression, tanh: Expression | undefined): Expression {
  const c = Math.sqrt(2 / Math.PI);
  const square = x.square();
  const t = tanh ?? x.mul(square.mul(0.044715).add(1)).mul(c).tanh();
  const du = square.mul(3 * 0.044715 * c).add(c);
  const tail = x.mul(0.5).mul(du).mul(t.square().oneMinus());
  return t.add(1).mul(0.5).add(tail);
}
