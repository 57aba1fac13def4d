import type { Vjp } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import type { Pairs } from './pairs.ts';
import { over } from './secant.ts';

/**
 * A maximum of many is shared out between the elements that the image and the baseline chose: what y lies above y' is
 * the credit of the element that the image chose, what y' lies above y that of the baseline's; of a minimum what lies
 * below.
 *
 * @param back takes a cotangent from the output to the elements that were chosen
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
