import { kept } from '../../operators/reduction.ts';
import type { Vjp } from '../../operators/vjp/rule.ts';
import type { Pairs } from './pairs.ts';

// Sums of squares, and their roots: their Δy/Δx has a closed form.

/** Σ x²: x + x' */
export const squareSum =
  (pairs: Pairs): Vjp =>
  (c) =>
    kept(c, c.dy).mul(pairs.sum(c.x(0)));

/** ‖x‖: (x + x') / (‖x‖ + ‖x'‖), 0 if both norms are 0 */
export const norm =
  (pairs: Pairs): Vjp =>
  (c) => {
    const norms = kept(c, pairs.sum(c.y));
    const none = norms.equals(0);
    const above = kept(c, c.dy).mul(pairs.sum(c.x(0)));
    return above.div(none.where(1, norms));
  };
