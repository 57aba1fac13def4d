import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { matmul, reshape, scale, sum, transpose } from '../onnx/emit.ts';
import { int, real, text } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { type Operators, operator, other, product } from './operator.ts';
import { matmulRows } from './rows.ts';
import { sameAsFirst } from './shape/elementwise.ts';
import { einsumShape, einsumTerms, gemmShape, matMulIntegerShape, matmulShape } from './shape/reduction.ts';
import type { RuleContext } from './vjp/rule.ts';

// Products of matrices, and the running sum, which is one with a triangle of ones.

/** The last two axes swapped. */
const swapped = (g: GraphBuilder, a: Value): Value => {
  const rank = g.shape(a).length;
  return transpose(g, a, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
};

const gemm = (g: GraphBuilder, a: Value, b: Value, transA: number, transB: number, alpha: number): Value =>
  g.emit('Gemm', [a, b], {
    ...(transA && { transA }),
    ...(transB && { transB }),
    ...(alpha !== 1 && { alpha: { float: alpha } }),
  });

/** y = a'·b' with a' and b' transposed as the node says; each cotangent is again one Gemm. */
const gemmVjp =
  (wrt: 0 | 1) =>
  ({ g, node, x, dy }: RuleContext): Value => {
    const [tA, tB] = [int(node, 'transA', 0), int(node, 'transB', 0)];
    const alpha = real(node, 'alpha', 1);
    if (wrt === 0) return tA ? gemm(g, x(1), dy, tB, 1, alpha) : gemm(g, dy, x(1), 0, 1 - tB, alpha);
    return tB ? gemm(g, dy, x(0), 1, tA, alpha) : gemm(g, x(0), dy, 1 - tA, 0, alpha);
  };

/** Vectors are treated as matrices with an axis of one, which the cotangent then loses again. */
function matmulVjp({ g, x, shape, dy, index }: RuleContext): Value {
  const [a, b] = [shape(0), shape(1)];
  const left = a.length === 1 ? g.emit('Unsqueeze', [x(0), g.ints([0])]) : x(0);
  const right = b.length === 1 ? g.emit('Unsqueeze', [x(1), g.ints([1])]) : x(1);
  const withRow = a.length === 1 ? g.emit('Unsqueeze', [dy, g.ints([b.length === 1 ? 0 : -2])]) : dy;
  const cotangent = b.length === 1 ? g.emit('Unsqueeze', [withRow, g.ints([-1])]) : withRow;
  const full = index === 0 ? matmul(g, cotangent, swapped(g, right)) : matmul(g, swapped(g, left), cotangent);
  if (index === 0 && a.length === 1) return dropAxis(g, full, -2);
  return index === 1 && b.length === 1 ? dropAxis(g, full, -1) : full;
}

/** Removes an axis of one, summing what broadcasting put before it. */
function dropAxis(g: GraphBuilder, a: Value, axis: -1 | -2): Value {
  const rank = g.shape(a).length;
  const batch = Array.from({ length: rank - 2 }, (_, i) => i);
  const summed = batch.length > 0 ? sum(g, a, batch, false) : a;
  return g.emit('Squeeze', [summed, g.ints([axis])]);
}

/** An Einsum's cotangent is an Einsum of the cotangent with the other operands. */
function einsumVjp(c: RuleContext): Value {
  const equation = text(c.node, 'equation', '');
  const { terms, output } = einsumTerms(
    equation,
    c.node.inputs.map((_, i) => c.shape(i).length),
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
  const operands = c.node.inputs.flatMap((_, i) => (i === c.index ? [] : [c.x(i)]));
  const dx = c.g.emit('Einsum', [c.dy, ...operands], {
    equation: `${[output, ...others].join(',')}->${found}`,
  });
  if (found === wanted) return dx;
  // Letters that only this operand has were summed over: the cotangent is the same along them.
  const shape = c.shape(c.index);
  const spread = reshape(
    c.g,
    dx,
    shape.map((d, i) => (available.has(wanted[i]!) ? d : 1)),
  );
  return c.g.emit('Expand', [spread, c.g.emit('Shape', [c.x(c.index)])]);
}

export const linear = {
  Gemm: product({
    data: 2,
    linear: 'each',
    map: 'ends',
    rows: null,
    shape: gemmShape,
    vjp: [gemmVjp(0), gemmVjp(1), ({ g, node, dy }) => scale(g, dy, real(node, 'beta', 1))],
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
    // What a running total includes of x is included of dy by the running total from the other end.
    vjp: [
      ({ g, node, x, dy }) =>
        g.emit('CumSum', [dy, x(1)], {
          exclusive: int(node, 'exclusive', 0),
          reverse: 1 - int(node, 'reverse', 0),
        }),
    ],
  }),
  CumProd: other(),
} satisfies Operators;
