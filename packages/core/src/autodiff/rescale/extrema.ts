import type { Vjp } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import type { Pairs } from './pairs.ts';
import { over } from './secant.ts';

/**
 * Shares out the difference of a maximum between the elements that the image and the baseline chose: max(y - y', 0) is
 * the credit of the element that the image chose, max(y' - y, 0) that of the element that the baseline chose; of a
 * minimum, min(y - y', 0) and min(y' - y, 0).
 *
 * @param back passes a cotangent from the output to the elements that were chosen
 */
export const extremum =
  (pairs: Pairs, extreme: 'Max' | 'Min', back: Vjp = derivative): Vjp =>
  (c) => {
    const { y, dy } = c;
    const x = c.x(0);
    if (!pairs.varies(x) || !pairs.varies(y)) return derivative(c);
    const other = pairs.exchanged(y);
    const gain = y.emit(extreme, [other]).sub(other);
    const credit = back({ ...c, dy: dy.mul(gain) });
    return over(pairs.difference(credit, x), pairs.difference(x), derivative(c));
  };
