import type { Value } from '../../onnx/builder.ts';
import { add, div, mul, neg, number, reshape, sub, where } from '../../onnx/emit.ts';
import { type RuleContext, type Vjp, vjpOf } from '../../operators/vjp/rule.ts';
import { gradientRules } from '../gradient.ts';
import { baseline, image, type Pairs } from './pairs.ts';

/** Differences smaller than this have the gradient for a multiplier, as in Captum. */
const smallest = 1e-10;

/** The gradient's own rule. */
export const plain = (c: RuleContext): Value => (vjpOf(gradientRules, c.node.op, c.index) as Vjp)(c);

/** `above` / Δ where Δ is not too small, `otherwise` where it is. */
export function over(c: RuleContext, above: Value, delta: Value, otherwise: Value): Value {
  const { g } = c;
  const small = g.emit('Less', [g.emit('Abs', [delta]), number(g, smallest, delta)]);
  const safe = where(g, small, number(g, 1, delta), delta);
  return where(g, small, otherwise, div(g, above, safe));
}

/** The rescale rule, of a function of one moving value: the multiplier is Δy/Δx. */
export const secant =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { g, y, dy, index } = c;
    const x = c.x(index);
    if (!pairs.varies(g, x) || !pairs.varies(g, y)) return plain(c);
    if (c.shape(index).join() !== c.outShape.join())
      return over(c, mul(g, dy, pairs.difference(g, y)), pairs.difference(g, x), plain(c));
    // Both of a pair have the same multiplier: it is made once.
    const paired = (value: Value) => pairs.paired(g, value, y);
    const delta = (value: Value) => sub(g, image(g, paired(value)), baseline(g, paired(value)));
    const shared = over(c, mul(g, paired(dy), delta(y)), delta(x), paired(plain(c)));
    return reshape(g, shared, c.outShape);
  };

// Where Δy/Δx has a form of its own, which loses nothing to cancellation.

/** √: 1/(√x + √x'); where both are 0 the slope has no bound, and any number does */
export const rootSecant =
  (pairs: Pairs): Vjp =>
  ({ g, y, dy }) => {
    const roots = add(g, y, pairs.exchanged(g, y));
    const none = g.emit('Equal', [roots, number(g, 0, roots)]);
    return div(g, dy, where(g, none, number(g, 1, roots), roots));
  };

/** 1/x: -1/(x x') */
export const reciprocalSecant =
  (pairs: Pairs): Vjp =>
  ({ g, y, dy }) =>
    neg(g, mul(g, dy, mul(g, y, pairs.exchanged(g, y))));

/** x²: x + x' */
export const squareSecant =
  (pairs: Pairs): Vjp =>
  ({ g, x, dy }) =>
    mul(g, dy, add(g, x(0), pairs.exchanged(g, x(0))));
