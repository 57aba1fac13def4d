import { ints, within, x } from '../testing/cases.ts';
import { describeRules, rule } from '../testing/rule-cases.ts';
import { reduction } from './reduction.ts';

const forms = (Object.keys(reduction) as (keyof typeof reduction)[]).flatMap((op) => {
  const data = op === 'ReduceLogSum' ? within(0.3, 2, -1, 3, 2) : x(-1, 3, 2);
  const still = op === 'ReduceLogSum' ? within(0.3, 2, 2, 3, 2) : x(2, 3, 2);
  return [
    rule(op, 'one axis kept', [data, ints(1)]),
    rule(op, 'one axis dropped', [data, ints(2)], { keepdims: 0 }),
    rule(op, 'axes counted from the end', [data, ints(-1, -2)], { keepdims: 0 }),
    rule(op, 'every axis', [still], { keepdims: 0 }),
    rule(op, 'every axis, opset 18', [still], { keepdims: 1 }, { opset: 18 }),
    rule(op, 'axes as an input, opset 18', [data, ints(1)], { keepdims: 0 }, { opset: 18 }),
    rule(op, 'no axis', [still], { noop_with_empty_axes: 1 }, { opset: 18 }),
  ];
});

describeRules('reduction', reduction, [
  ...forms,
  rule('ReduceSum', 'over the batch', [x(-1, 3), ints(0)]),
  rule('ReduceMean', 'over the batch', [x(-1, 3), ints(0)], { keepdims: 0 }),
  rule('ReduceMax', 'over the batch', [x(-1, 3), ints(0)], { keepdims: 0 }),
]);
