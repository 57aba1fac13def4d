import { nary, type Operators, unary } from './operator.ts';
import { broadcasting, combined, comparison, truthShape } from './shape/elementwise.ts';

// Operators on comparisons, truth values and bits: they have no derivative.

export const logic = {
  Equal: nary({ shape: comparison((a, b) => a === b), vjp: null }),
  Greater: nary({ shape: comparison((a, b) => a > b), vjp: null }),
  GreaterOrEqual: nary({ shape: comparison((a, b) => a >= b), vjp: null }),
  Less: nary({ shape: comparison((a, b) => a < b), vjp: null }),
  LessOrEqual: nary({ shape: comparison((a, b) => a <= b), vjp: null }),
  And: nary({ shape: combined((a, b) => Number(a && b), 'bool'), vjp: null }),
  Or: nary({ shape: combined((a, b) => Number(a || b), 'bool'), vjp: null }),
  Xor: nary({ shape: combined((a, b) => Number(a !== b), 'bool'), vjp: null }),
  Not: unary({
    shape: (c) => [{ ...c.x(0), dtype: 'bool', value: c.x(0).value?.map((v) => Number(!v)) }],
    vjp: null,
  }),
  IsNaN: unary({ shape: truthShape, vjp: null }),
  IsInf: unary({ shape: truthShape, vjp: null }),
  BitwiseAnd: nary({ shape: broadcasting, vjp: null }),
  BitwiseOr: nary({ shape: broadcasting, vjp: null }),
  BitwiseXor: nary({ shape: broadcasting, vjp: null }),
  BitwiseNot: unary({ linear: 'jointly', vjp: null }),
  BitShift: nary({ shape: broadcasting, vjp: null }),
} satisfies Operators;
