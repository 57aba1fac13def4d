import { float } from '../onnx/graph.ts';
import { tensor } from '../tensor.ts';
import { constant, real, weight, x } from '../testing/cases.ts';
import { describeRules, rule } from '../testing/rule-cases.ts';
import { linear } from './linear.ts';

const axis = (at: number) => constant(tensor('int64', [], BigInt64Array.of(BigInt(at))));

describeRules('linear', linear, [
  rule('Gemm', 'plain', [x(-1, 3), x(3, 2), x(2)]),
  rule('Gemm', 'transB, no bias', [x(-1, 3), x(2, 3)], { transB: 1 }),
  rule('Gemm', 'transA', [x(3, 4), x(3, 2)], { transA: 1 }),
  rule('Gemm', 'transA and transB', [x(3, 4), x(2, 3)], { transA: 1, transB: 1 }),
  rule('Gemm', 'alpha and beta, bias a column', [x(4, 3), x(2, 3), x(4, 1)], {
    transB: 1,
    alpha: float(0.625),
    beta: float(1.75),
  }),
  rule('Gemm', 'transA with alpha, bias a scalar', [x(3, 4), x(3, 2), x()], {
    transA: 1,
    alpha: float(0.625),
  }),
  rule('MatMul', 'matrices', [x(-1, 3), x(3, 2)]),
  rule('MatMul', 'a batch against one matrix', [x(-1, 2, 3), x(3, 2)]),
  rule('MatMul', 'one matrix against a batch', [x(2, 3), x(-1, 3, 2)]),
  rule('MatMul', 'batches stretched against each other', [x(-1, 1, 2, 3), x(4, 3, 2)]),
  rule('MatMul', 'a vector by a matrix', [x(3), x(3, 2)]),
  rule('MatMul', 'a vector by a batch', [x(3), x(-1, 3, 2)]),
  rule('MatMul', 'a matrix by a vector', [x(4, 3), x(3)]),
  rule('MatMul', 'a batch by a vector', [x(-1, 4, 3), x(3)]),
  rule('MatMul', 'vector by vector', [x(3), x(3)]),
  rule('Einsum', 'attention scores', [x(2, 2, 3, 4), x(2, 2, 5, 4)], { equation: 'bhid,bhjd->bhij' }),
  rule('Einsum', 'a letter that one operand alone has', [x(2, 3, 4), x(2, 3)], { equation: 'bij,bi->b' }),
  rule('Einsum', 'transposition', [x(2, 3, 4)], { equation: 'abc->cab' }),
  rule('Einsum', 'sum of everything', [x(2, 3)], { equation: 'ab->' }),
  rule('Einsum', 'output left out', [x(2, 3), x(3, 4)], { equation: 'ij,jk' }),
  rule('Einsum', 'three operands', [x(2, 3), x(3, 4), x(4)], { equation: 'ij,jk,k->ik' }),
  rule('Einsum', 'an ellipsis', [x(-1, 2, 3), weight(3, 4)], { equation: '...i,ij->...j' }),
  rule('Einsum', 'an ellipsis in every term', [x(2, 3, 4), x(2, 4, 5)], { equation: '...ij,...jk->...ik' }),
  rule('Einsum', 'outer product with a scalar', [x(3), real(0.7)], { equation: 'i,->i' }),
  rule('CumSum', 'plain', [x(-1, 4), axis(1)]),
  rule('CumSum', 'leaving the element itself out', [x(-1, 2, 4), axis(-1)], { exclusive: 1 }),
  rule('CumSum', 'from the end', [x(-1, 4, 2), axis(1)], { reverse: 1 }),
]);
