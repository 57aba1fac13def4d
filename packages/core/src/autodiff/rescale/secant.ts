import type { Expression } from '../../onnx/expression.ts';
import type { Vjp } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import { baseline, image, type Pairs } from './pairs.ts';

/** If a difference is smaller than this, the multiplier is the gradient, as in Captum. */
const smallest = 1e-10;

/** Gives `above` / Δ for each element, or `otherwise` if Δ is too small. */
export function over(above: Expression, delta: Expression, otherwise: Expression): Expression {
  const small = delta.abs().isLess(smallest);
  return small.where(otherwise, above.div(small.where(1, delta)));
}

/** The rescale rule for a function of one moving value: the multiplier is Δy/Δx. */
export const secant =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { y, dy } = c;
    const x = c.x(c.index);
    if (!pairs.varies(x) || !pairs.varies(y)) return derivative(c);
    if (x.shape.join() !== y.shape.join())
      return over(dy.mul(pairs.difference(y)), pairs.difference(x), derivative(c));
    // Both rows of a pair have the same multiplier, so it is computed once.
    const paired = (value: Expression) => pairs.paired(value, y);
    const delta = (value: Expression) => image(paired(value)).sub(baseline(paired(value)));
    return over(paired(dy).mul(delta(y)), delta(x), paired(derivative(c))).reshape(y.shape);
  };

// Functions whose Δy/Δx has a closed form, which loses nothing to cancellation.

/** √: 1/(√x + √x'); if both are 0 the slope has no bound, and any number is correct */
export const rootSecant =
  (pairs: Pairs): Vjp =>
  ({ y, dy }) => {
    const roots = pairs.sum(y);
    return dy.div(roots.equals(0).where(1, roots));
  };

/** 1/x: -1/(x x') */
export const reciprocalSecant =
  (pairs: Pairs): Vjp =>
  ({ y, dy }) =>
    dy.mul(y.mul(pairs.exchanged(y))).neg();

/** x²: x + x' */
export const squareSecant =
  (pairs: Pairs): Vjp =>
  ({ x, dy }) =>
    dy.mul(pairs.sum(x(0)));
