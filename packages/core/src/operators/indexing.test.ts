import { tensor } from '../tensor.ts';
import { constant, ints, x } from '../testing/cases.ts';
import { describeRules, rule } from '../testing/rule-cases.ts';
import { indexing } from './indexing.ts';

const index = (shape: readonly number[], ...values: number[]) =>
  constant(tensor('int64', shape, BigInt64Array.from(values, BigInt)));
const scalar = (value: number) => index([], value);

describeRules(
  'indexing',
  indexing,
  [
    rule('GatherElements', 'default axis', [x(3, 2), index([2, 2], 2, 0, 1, 1)]),
    rule(
      'GatherElements',
      'an element twice, from the end',
      [x(2, 3), index([2, 4], -1, 0, 2, 1, 0, 0, 1, -3)],
      {
        axis: -1,
      },
    ),
    rule('ScatterElements', 'written', [x(2, 4), index([2, 2], 3, 0, 1, -2), x(2, 2)], { axis: 1 }),
    rule('ScatterElements', 'added, twice to one place', [x(3, 2), index([2, 2], 1, 1, 1, 0), x(2, 2)], {
      reduction: 'add',
    }),
    rule('ScatterND', 'rows written', [x(4, 3), index([2, 1], 3, 1), x(2, 3)]),
    rule(
      'ScatterND',
      'elements added, twice to one place',
      [x(2, 3), index([3, 2], 0, 1, 1, 2, 0, 1), x(3)],
      {
        reduction: 'add',
      },
    ),
    rule('TopK', 'largest of the last axis', [x(-1, 5), ints(2)], {}, { outputs: 2, used: [0] }),
    rule(
      'TopK',
      'smallest of an axis',
      [x(2, 4, 2), ints(3)],
      { axis: 1, largest: 0 },
      { outputs: 2, used: [0] },
    ),
    rule('Trilu', 'upper', [x(-1, 3, 3)]),
    rule('Trilu', 'lower, above the diagonal too', [x(-1, 3, 4), scalar(1)], { upper: 0 }),
  ],
  [
    rule('GatherND', 'rows', [x(3, 2), index([2, 1], 2, 0)]),
    rule(
      'ScatterElements',
      'the larger of both',
      [x(2, 4), index([2, 2], 3, 0, 1, 2), x(2, 2)],
      { axis: 1, reduction: 'max' },
      { opset: 18 },
    ),
    rule(
      'ScatterND',
      'the larger of both',
      [x(4, 3), index([2, 1], 3, 1), x(2, 3)],
      { reduction: 'max' },
      { opset: 18 },
    ),
    rule('ArgMax', 'last axis', [x(-1, 4)], { axis: -1 }),
    rule('ArgMin', 'first axis', [x(3, 2)], {}),
  ],
);
