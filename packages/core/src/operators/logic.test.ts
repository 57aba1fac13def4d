import { tensor } from '../tensor.ts';
import { at, bools, constant, x } from '../testing/cases.ts';
import { describeFacts } from '../testing/fact-cases.ts';
import { rule, single } from '../testing/rule-cases.ts';
import { logic } from './logic.ts';

const bytes = (...values: number[]) => constant(tensor('uint8', [values.length], Uint8Array.from(values)));
const [some, others] = [bools([2, 2], 1, 0, 0, 1), bools([2, 1], 1, 0)];
const comparisons = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'] as const;

describeFacts('logic', logic, [
  ...comparisons.flatMap((op) => [
    rule(op, 'of equals and others', [at(1, 2, 3), at(1, 3, 2)], {}, single),
    rule(op, 'a vector against a batch', [x(2, 3), x(3)], {}, single),
  ]),
  rule('And', 'broadcast', [some, others]),
  rule('Or', 'broadcast', [some, others]),
  rule('Xor', 'broadcast', [some, others]),
  rule('Not', 'both', [some]),
  rule('IsNaN', 'both', [at(Number.NaN, 1)], {}, single),
  rule('IsInf', 'both', [at(Number.POSITIVE_INFINITY, 1)], {}, single),
  rule('BitwiseAnd', 'bytes', [bytes(1, 6, 7), bytes(3, 3, 12)], {}, { opset: 18 }),
  rule('BitwiseOr', 'bytes', [bytes(1, 6, 7), bytes(3, 3, 12)], {}, { opset: 18 }),
  rule('BitwiseXor', 'bytes', [bytes(1, 6, 7), bytes(3, 3, 12)], {}, { opset: 18 }),
  rule('BitwiseNot', 'bytes', [bytes(1, 6, 7)], {}, { opset: 18 }),
  rule('BitShift', 'left', [bytes(1, 6, 7), bytes(1, 2, 3)], { direction: 'LEFT' }),
  rule('BitShift', 'right', [bytes(3, 7, 9), bytes(1, 1, 1)], { direction: 'RIGHT' }),
]);
