import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, mul, number, scale, shift, sub, where } from '../../onnx/emit.ts';
import { partOf } from './part.ts';
import type { RuleContext } from './rule.ts';

// What slopes of activations are made of.

export const compare = (g: GraphBuilder, op: 'Greater' | 'Less', a: Value, bound: number): Value =>
  g.emit(op, [a, number(g, bound, a)]);
/** Where a clipped value is inside its bounds; `null` where there are none. */
export const between = (
  g: GraphBuilder,
  y: Value,
  low: number | Value | null,
  high: number | Value | null,
): Value | null => {
  const bound = (b: number | Value) => (typeof b === 'number' ? number(g, b, y) : b);
  const above = low === null ? null : g.emit('Greater', [y, bound(low)]);
  const below = high === null ? null : g.emit('Less', [y, bound(high)]);
  return above && below ? g.emit('And', [above, below]) : (above ?? below);
};

/** Slope `alpha` below zero, 1 above. */
export const leaky = (c: RuleContext, alpha: Value): Value =>
  where(c.g, compare(c.g, 'Greater', c.x(0), 0), c.dy, mul(c.g, c.dy, alpha));

export const sigmoidOf = (g: GraphBuilder, x: Value): Value => g.emit('Sigmoid', [x]);

/** GELU's derivative where Φ(x) is at hand, or twice that: Φ + x·φ with x·φ = u·exp(-u²)/√π, u = x/√2. */
export function spelledGelu(c: RuleContext): Value | undefined {
  const scaled = partOf(c, 'scaled');
  if (scaled === undefined) return undefined;
  const { g, dy } = c;
  const density = div(g, scaled, g.emit('Exp', [mul(g, scaled, scaled)]));
  const single = partOf(c, 'cumulative');
  if (single !== undefined) return mul(g, dy, add(g, single, scale(g, density, 1 / Math.sqrt(Math.PI))));
  const twice = partOf(c, 'twice') ?? shift(g, partOf(c, 'erf')!, 1);
  return mul(g, scale(g, dy, 0.5), add(g, twice, scale(g, density, 2 / Math.sqrt(Math.PI))));
}

/** 1/√(2π) · exp(-x²/2) */
export const normalDensity = (g: GraphBuilder, x: Value): Value =>
  scale(g, g.emit('Exp', [scale(g, mul(g, x, x), -0.5)]), 1 / Math.sqrt(2 * Math.PI));

export const normalCumulative = (g: GraphBuilder, x: Value): Value =>
  scale(g, shift(g, g.emit('Erf', [scale(g, x, Math.SQRT1_2)]), 1), 0.5);

/** The tanh form of GELU and its derivative, u = √(2/π)(x + 0.044715x³). */
export const tanhGeluSlope = (g: GraphBuilder, x: Value, tanh: Value | undefined): Value => {
  const c = Math.sqrt(2 / Math.PI);
  const square = mul(g, x, x);
  const t = tanh ?? g.emit('Tanh', [scale(g, mul(g, x, shift(g, scale(g, square, 0.044715), 1)), c)]);
  const du = shift(g, scale(g, square, 3 * 0.044715 * c), c);
  const tail = mul(g, mul(g, scale(g, x, 0.5), du), sub(g, number(g, 1, t), mul(g, t, t)));
  return add(g, scale(g, shift(g, t, 1), 0.5), tail);
};
