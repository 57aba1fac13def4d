import { type Fact, ShapeError } from '../../onnx/fact.ts';
import { int, text } from '../../onnx/graph.ts';
import { axisOf, broadcast, type ShapeContext, type ShapeRule } from './rule.ts';

/** Reads the axes of a reduction from its second input; all axes if it is absent. */
export function reducedAxes(rank: number, axes: readonly number[] | undefined, noop: boolean): number[] {
  if (!axes || axes.length === 0) return noop ? [] : Array.from({ length: rank }, (_, i) => i);
  return axes.map((a) => axisOf(a, rank));
}

/** Infers the output of a reduction; `fold` computes its single element from known elements. */
export const reducedShape =
  (fold?: (values: readonly number[]) => number): ShapeRule =>
  (c) => {
    const { dtype, shape, value } = c.x(0);
    const noop = int(c.node, 'noop_with_empty_axes', 0) === 1;
    const axes = reducedAxes(shape.length, c.has(1) ? c.value(1) : undefined, noop);
    const keep = int(c.node, 'keepdims', 1) === 1;
    const out = shape.map((d, i) => (axes.includes(i) ? 1 : d)).filter((_, i) => keep || !axes.includes(i));
    const whole = fold && value && axes.length === shape.length ? [fold(value)] : undefined;
    return [{ dtype, shape: out, value: whole }];
  };

export const argumentShape: ShapeRule = (c) => {
  const { shape } = c.x(0);
  const axis = axisOf(int(c.node, 'axis', 0), shape.length);
  const keep = int(c.node, 'keepdims', 1) === 1;
  return [{ dtype: 'int64', shape: shape.flatMap((d, i) => (i === axis ? (keep ? [1] : []) : [d])) }];
};

export function matmulShape(c: ShapeContext): readonly Fact[] {
  const a = c.x(0).shape;
  const b = c.x(1).shape;
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  if (left.at(-1) !== right.at(-2)) throw new ShapeError(`MatMul of [${a}] with [${b}]`);
  const batch = broadcast(left.slice(0, -2), right.slice(0, -2));
  const tail = [...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])];
  return [{ dtype: c.x(0).dtype, shape: [...batch, ...tail] }];
}

/** Letters that stand for the axes of an ellipsis. */
const spare = 'ZYXWVUTS';

/** Writes an Einsum equation with its output, and with every ellipsis in letters, aligned at their ends. */
export function einsumTerms(equation: string, ranks: readonly number[]): { terms: string[]; output: string } {
  const [left = '', right] = equation.replaceAll(' ', '').split('->');
  const written = left.split(',');
  const hidden = written.map((term, i) => (term.includes('...') ? ranks[i]! - (term.length - 3) : 0));
  const most = Math.max(...hidden);
  const letters = [...spare]
    .filter((letter) => !equation.includes(letter))
    .join('')
    .slice(0, most);
  if (written.length !== ranks.length || hidden.some((h) => h < 0) || letters.length < most)
    throw new ShapeError(`Einsum "${equation}" of operands of rank ${ranks.join(', ')}`);
  const spell = (term: string, count: number) => term.replace('...', letters.slice(most - count));
  const terms = written.map((term, i) => spell(term, hidden[i]!));
  const once = [...new Set(left.replaceAll(/[.,]/g, ''))]
    .filter((letter) => left.split(letter).length === 2)
    .sort();
  return { terms, output: right === undefined ? letters + once.join('') : spell(right, most) };
}

export function einsumShape(c: ShapeContext): readonly Fact[] {
  const shapes = Array.from({ length: c.count }, (_, i) => c.x(i).shape);
  const { terms, output } = einsumTerms(
    text(c.node, 'equation', ''),
    shapes.map((s) => s.length),
  );
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    if (term.length !== shapes[i]!.length)
      throw new ShapeError(`Einsum term ${term} of an operand [${shapes[i]}]`);
    [...term].forEach((letter, axis) => {
      const [known, size] = [sizes.get(letter) ?? 1, shapes[i]![axis]!];
      if (known !== 1 && size !== 1 && known !== size)
        throw new ShapeError(`Einsum letter ${letter} is both ${known} and ${size}`);
      sizes.set(letter, Math.max(known, size));
    });
  });
  return [{ dtype: c.x(0).dtype, shape: [...output].map((letter) => sizes.get(letter) ?? 1) }];
}

export const matMulIntegerShape: ShapeRule = (c) =>
  matmulShape(c).map((fact) => ({ ...fact, dtype: 'int32' }));

export function gemmShape(c: ShapeContext): readonly Fact[] {
  const a = int(c.node, 'transA', 0) ? c.x(0).shape.toReversed() : c.x(0).shape;
  const b = int(c.node, 'transB', 0) ? c.x(1).shape.toReversed() : c.x(1).shape;
  if (a.length !== 2 || b.length !== 2 || a[1] !== b[0]) throw new ShapeError(`Gemm of [${a}] with [${b}]`);
  return [{ dtype: c.x(0).dtype, shape: [a[0]!, b[1]!] }];
}
