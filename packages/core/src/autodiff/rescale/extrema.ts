import { mul, sub } from '../../onnx/emit.ts';
import type { Vjp } from '../../operators/vjp/rule.ts';
import type { Pairs } from './pairs.ts';
import { over, plain } from './secant.ts';

/**
 * A maximum of many is shared out between the elements that the image and the baseline chose: what y lies above y' is
 * the credit of the element that the image chose, what y' lies above y that of the baseline's; of a minimum what lies
 * below.
 *
 * @param back takes a cotangent from the output to the elements that were chosen
 */
export const extremum =
  (pairs: Pairs, extreme: 'Max' | 'Min', back: Vjp = plain): Vjp =>
  (c) => {
    const { g, y, dy } = c;
    const x = c.x(0);
    if (!pairs.varies(g, x) || !pairs.varies(g, y)) return plain(c);
    const other = pairs.exchanged(g, y);
    const gain = sub(g, g.emit(extreme, [y, other]), other);
    const credit = back({ ...c, dy: mul(g, dy, gain) });
    return over(c, pairs.difference(g, credit, x), pairs.difference(g, x), plain(c));
  };
