import { within } from '../testing/cases.ts';
import { describeRules, rule, single } from '../testing/rule-cases.ts';
import { trigonometry } from './trigonometry.ts';

const wide = (...shape: number[]) => within(-4.2, 4.2, ...shape);
const inside = (...shape: number[]) => within(-0.2, 0.2, ...shape);

describeRules('trigonometry', trigonometry, [
  rule('Sin', 'plain', [wide(-1, 5)]),
  rule('Cos', 'plain', [wide(-1, 5)]),
  rule('Tan', 'plain', [inside(-1, 5)], {}, single),
  rule('Asin', 'plain', [inside(-1, 5)], {}, single),
  rule('Acos', 'plain', [inside(-1, 5)], {}, single),
  rule('Atan', 'plain', [wide(-1, 5)], {}, single),
  rule('Sinh', 'plain', [inside(-1, 5)], {}, single),
  rule('Cosh', 'plain', [inside(-1, 5)], {}, single),
  rule('Tanh', 'plain', [wide(-1, 5)]),
  rule('Asinh', 'plain', [wide(-1, 5)], {}, single),
  rule('Acosh', 'plain', [within(1.5, 3, 2, 5)], {}, single),
  rule('Atanh', 'plain', [inside(-1, 5)], {}, single),
]);
