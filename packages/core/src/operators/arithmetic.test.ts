import { float32, tensor } from '../tensor.ts';
import { bools, constant, ints, real, weight, within, x } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { arithmetic } from './arithmetic.ts';

const positive = (...shape: number[]) => within(0.3, 2, ...shape);

describeRules(
  'arithmetic',
  arithmetic,
  [
    rule('Add', 'equal shapes', [x(-1, 3), x(-1, 3)]),
    rule('Add', 'a vector against a batch', [x(-1, 2, 3), x(3)]),
    rule('Add', 'a column against a row', [x(3, 1), x(1, 4)]),
    rule('Add', 'a scalar', [x(), x(-1, 2)]),
    rule('Sum', 'of one', [x(-1, 3)]),
    rule('Sum', 'of three, each of another shape', [x(2, 3), x(3), x(2, 1)]),
    rule('Sub', 'a middle axis stretched', [x(-1, 1, 3), x(-1, 2, 3)]),
    rule('Mul', 'equal shapes', [x(-1, 3), x(-1, 3)]),
    rule('Mul', 'per channel', [x(-1, 3, 2, 2), x(3, 1, 1)]),
    rule('Mul', 'by a constant', [x(-1, 3), weight(3)]),
    rule('Div', 'equal shapes', [x(-1, 3), x(-1, 3)]),
    rule('Div', 'a scalar by a batch', [x(), x(-1, 4)]),
    rule('Mean', 'of three, one a vector', [x(2, 3), x(3), x(2, 3)], {}, single),
    rule('Max', 'of two', [x(-1, 3), x(-1, 3)]),
    rule('Max', 'of three, broadcast', [x(2, 3), x(3), x()]),
    rule('Max', 'of one', [x(-1, 3)]),
    rule('Min', 'of two', [x(-1, 3), x(-1, 1)]),
    rule('Pow', 'squared', [x(-1, 3), real(2)]),
    rule('Pow', 'cubed, of negatives too', [x(-1, 3), real(3)]),
    rule('Pow', 'a broken exponent', [positive(-1, 3), real(0.4)]),
    rule('Pow', 'an integer exponent tensor', [x(-1, 3), ints(3)]),
    rule('Pow', 'an exponent per element', [positive(-1, 3), within(2, 3.5, 3)]),
    rule('Pow', 'constant exponents of which the first is two', [positive(-1, 3), weight(3)]),
    rule('Neg', 'plain', [x(-1, 3)]),
    rule('Abs', 'both signs', [x(-1, 4)]),
    rule('Exp', 'plain', [x(-1, 3)]),
    rule('Log', 'plain', [positive(-1, 3)]),
    rule('Sqrt', 'plain', [positive(-1, 3)]),
    rule('Reciprocal', 'both signs', [x(-1, 3)]),
    rule('Where', 'equal shapes', [bools([2, 3], 1, 0, 0, 1, 1, 0), x(2, 3), x(2, 3)]),
    rule('Where', 'condition per row, scalar otherwise', [bools([2, 1], 1, 0), x(2, 3), x()]),
    rule('Cast', 'to float64', [x(-1, 3)], { to: 11 }, single),
    rule(
      'CastLike',
      'to float64',
      [x(-1, 3), constant(tensor('float64', [1], Float64Array.of(1)))],
      {},
      single,
    ),
    rule('Mod', 'a fraction', [x(-1, 5), real(0.8)], { fmod: 1 }),
    rule('Sign', 'zero', [x(-1, 3)]),
    rule('Floor', 'zero', [x(-1, 3)]),
    rule('Ceil', 'zero', [x(-1, 3)]),
    rule('Round', 'zero', [x(-1, 3)]),
  ],
  [
    rule('Where', 'a condition that is data', [bools([2, 3], 1, 0, 0, 1, 1, 0), x(2, 3), x(2, 3)]),
    rule('Cast', 'to float32', [x(-1, 3)], { to: 1 }),
    rule('CastLike', 'to float32', [x(-1, 3), constant(float32([1], [1]))]),
  ],
);
