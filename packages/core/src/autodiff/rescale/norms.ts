import { add, div, mul, number, where } from '../../onnx/emit.ts';
import { kept } from '../../operators/reduction.ts';
import type { Vjp } from '../../operators/vjp/rule.ts';
import type { Pairs } from './pairs.ts';

// Sums of squares, and their roots: Δy/Δx has a form of its own.

/** Σ x²: x + x' */
export const squareSum =
  (pairs: Pairs): Vjp =>
  (c) =>
    mul(c.g, kept(c, c.dy), add(c.g, c.x(0), pairs.exchanged(c.g, c.x(0))));

/** ‖x‖: (x + x') / (‖x‖ + ‖x'‖), 0 where both are 0 */
export const norm =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { g } = c;
    const norms = kept(c, add(g, c.y, pairs.exchanged(g, c.y)));
    const none = g.emit('Equal', [norms, number(g, 0, norms)]);
    return div(
      g,
      mul(g, kept(c, c.dy), add(g, c.x(0), pairs.exchanged(g, c.x(0)))),
      where(g, none, number(g, 1, norms), norms),
    );
  };
