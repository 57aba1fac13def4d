import { InputError } from '../errors.ts';
import type { Expression } from '../onnx/expression.ts';
import { int, real, text } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { type Operators, operator, other, product } from './operator.ts';
import { matmulRows } from './rows.ts';
import { sameAsFirst } from './shape/elementwise.ts';
import { einsumShape, einsumTerms, gemmShape, matMulIntegerShape, matmulShape } from './shape/reduction.ts';
import type { Vjp } from './vjp/rule.ts';

// Products of matrices, and the running sum, which is a product with a triangle of ones.

/** Swaps the last two axes. */
const swapped = (a: Expression): Expression => {
  const rank = a.shape.length;
  return a.transpose([...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
};

const gemm = (a: Expression, b: Expression, transA: number, transB: number, alpha: number): Expression =>
  a.emit('Gemm', [b], {
    ...(transA && { transA }),
    ...(transB && { transB }),
    ...(alpha !== 1 && { alpha: { float: alpha } }),
  });

/** y = a'·b' with a' and b' transposed as the node says; each cotangent is again one Gemm. */
const gemmVjp =
  (wrt: 0 | 1): Vjp =>
  ({ node, x, dy }) => {
    const [tA, tB] = [int(node, 'transA', 0), int(node, 'transB', 0)];
    const alpha = real(node, 'alpha', 1);
    if (wrt === 0) return tA ? gemm(x(1), dy, tB, 1, alpha) : gemm(dy, x(1), 0, 1 - tB, alpha);
    return tB ? gemm(dy, x(0), 1, tA, alpha) : gemm(x(0), dy, 1 - tA, 0, alpha);
  };

/** Treats vectors as matrices with an axis of size 1, which is then removed from the cotangent. */
const matmulVjp: Vjp = ({ x, dy, index }) => {
  const [a, b] = [x(0), x(1)];
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  const left = isRow ? a.unsqueeze(0) : a;
  const right = isColumn ? b.unsqueeze(1) : b;
  const withRow = isRow ? dy.unsqueeze(isColumn ? 0 : -2) : dy;
  const cotangent = isColumn ? withRow.unsqueeze(-1) : withRow;
  const full = index === 0 ? cotangent.matmul(swapped(right)) : swapped(left).matmul(cotangent);
  if (index === 0 && isRow) return dropAxis(full, -2);
  return index === 1 && isColumn ? dropAxis(full, -1) : full;
};

/** Removes an axis of size 1, and sums over the axes that broadcasting added. */
function dropAxis(a: Expression, axis: -1 | -2): Expression {
  const batch = Array.from({ length: a.shape.length - 2 }, (_, i) => i);
  return a.sum(batch, false).squeeze(axis);
}

/** Computes an Einsum's cotangent as an Einsum of the cotangent with the other operands. */
const einsumVjp: Vjp = (c) => {
  const equation = text(c.node, 'equation', '');
  const operands = c.node.inputs.map((_, i) => c.x(i));
  const { terms, output } = einsumTerms(
    equation,
    operands.map(({ shape }) => shape.length),
  );
  const wanted = terms[c.index]!;
  if (new Set(wanted).size < wanted.length)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(c.node.name)} (Einsum "${equation}") takes a diagonal: no derivative rule`,
    );
  const others = terms.filter((_, i) => i !== c.index);
  const available = new Set([...output, ...others.join('')]);
  const found = [...wanted].filter((letter) => available.has(letter)).join('');
  const dx = c.dy.emit(
    'Einsum',
    operands.filter((_, i) => i !== c.index),
    { equation: `${[output, ...others].join(',')}->${found}` },
  );
  if (found === wanted) return dx;
  // Letters that only this operand has were summed over: the cotangent is the same along them.
  const x = c.x(c.index);
  return dx.reshape(x.shape.map((d, i) => (available.has(wanted[i]!) ? d : 1))).expandAs(x);
};

export const linear = {
  Gemm: product({
    data: 2,
    linear: 'each',
    map: 'ends',
    rows: null,
    shape: gemmShape,
    vjp: [gemmVjp(0), gemmVjp(1), ({ node, dy }) => dy.mul(real(node, 'beta', 1))],
  }),
  MatMul: product({
    data: 2,
    linear: 'each',
    map: 'ends',
    rows: matmulRows,
    shape: matmulShape,
    vjp: [matmulVjp, matmulVjp],
  }),
  MatMulInteger: other({ since: 18, shape: matMulIntegerShape }),
  Einsum: operator({
    data: Number.POSITIVE_INFINITY,
    linear: 'each',
    rows: null,
    shape: einsumShape,
    vjp: einsumVjp,
  }),
  CumSum: operator({
    linear: 'jointly',
    rows: null,
    shape: sameAsFirst,
    // The cotangent of a running sum's input is the running sum of dy from the other end.
    vjp: [
      ({ node, x, dy }) =>
        dy.emit('CumSum', [x(1)], {
          exclusive: int(node, 'exclusive', 0),
          reverse: 1 - int(node, 'reverse', 0),
        }),
    ],
  }),
  CumProd: other(),
} satisfies Operators;
