import { InputError } from '../../errors.ts';
import { concat } from '../../onnx/expression.ts';
import { int, ints, text } from '../../onnx/graph.ts';
import { quoted } from '../../onnx/names.ts';
import { axisOf } from '../shape/rule.ts';
import { positionsOf, slicedRuns } from '../shape/slicing.ts';
import { given, type RuleContext, tabled, type Vjp } from './rule.ts';
import { padAxis, ungather } from './ungather.ts';

// Operators that move elements: their cotangents move back.

export const reshapeVjp: Vjp = ({ x, dy }) => dy.reshape(x(0).shape);

/** Reads the elements of an input that gives positions. @throws InputError if they depend on data */
export function constant(c: RuleContext, i: number): readonly number[] {
  const { elements } = c.x(i);
  if (!elements)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(c.node.name)} (${c.node.op}) moves elements by indices that depend on data: no derivative rule`,
    );
  return elements;
}

/** Returns the size of an axis that is cut or joined. */
function fixedSize(c: RuleContext, i: number, axis: number): number {
  const size = c.x(i).shape[axis]!;
  if (size < 0)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(c.node.name)} (${c.node.op}) cuts or joins batches: no derivative rule`,
    );
  return tabled(c, size);
}

const optional = (c: RuleContext, i: number) => given(c, i) && constant(c, i);

export const sliceVjp: Vjp = (c) => {
  const { shape } = c.x(0);
  const axes = optional(c, 3) ?? constant(c, 1).map((_, i) => i);
  const touched = axes.map((a) => axisOf(a, shape.length));
  for (const axis of touched) fixedSize(c, 0, axis);
  const sizes = shape.map((d) => Math.max(d, 1));
  const runs = slicedRuns(sizes, constant(c, 1), constant(c, 2), axes, optional(c, 4));
  return touched.reduce((dy, axis) => ungather(dy, axis, positionsOf(runs[axis]!), shape[axis]!), c.dy);
};

export const gatherVjp: Vjp = (c) => {
  const { shape } = c.x(0);
  const axis = axisOf(int(c.node, 'axis', 0), shape.length);
  const size = fixedSize(c, 0, axis);
  const indices = constant(c, 1).map((i) => (i < 0 ? i + size : i));
  const flat = c.dy.reshape([...shape.slice(0, axis), indices.length, ...shape.slice(axis + 1)]);
  return ungather(flat, axis, indices, size);
};

export const concatVjp: Vjp = (c) => {
  const axis = axisOf(int(c.node, 'axis', 0), c.y.shape.length);
  const start = c.node.inputs.slice(0, c.index).reduce((before, _, i) => before + fixedSize(c, i, axis), 0);
  return c.dy.slice(axis, start, start + fixedSize(c, c.index, axis));
};

export const splitVjp: Vjp = (c) => {
  const axis = axisOf(int(c.node, 'axis', 0), c.x(0).shape.length);
  return concat(
    c.node.outputs.map((_, k) => c.dyOf(k) ?? c.output(k).zerosLike()),
    axis,
  );
};

/** Sums elements that were repeated in blocks, block by block. */
export const tileVjp: Vjp = (c) => {
  const repeats = constant(c, 1);
  const { shape } = c.x(0);
  return c.dy.reshape(shape.flatMap((d, i) => [repeats[i]!, d])).sum(
    shape.map((_, i) => 2 * i),
    false,
  );
};

export const padVjp: Vjp = (c) => {
  const mode = text(c.node, 'mode', 'constant');
  const { shape } = c.x(0);
  const axes = (optional(c, 3) ?? shape.map((_, i) => i)).map((a) => axisOf(a, shape.length));
  const pads = constant(c, 1);
  return axes.reduce((dy, axis, i) => {
    const [before, after] = [pads[i]!, pads[i + axes.length]!];
    if (before === 0 && after === 0) return dy;
    if (mode === 'constant') return padAxis(dy, axis, -before, -after);
    const source = Array.from({ length: tabled(c, shape[axis]! + before + after) }, (_, k) =>
      bordered(k - before, shape[axis]!, mode),
    );
    return ungather(dy, axis, source, shape[axis]!);
  }, c.dy);
};

/** Finds the element that a padded position repeats. */
function bordered(k: number, size: number, mode: string): number {
  if (mode === 'edge') return Math.min(Math.max(k, 0), size - 1);
  if (mode === 'wrap') return ((k % size) + size) % size;
  const period = 2 * (size - 1);
  const folded = Math.abs(k) % period;
  return folded < size ? folded : period - folded;
}

export const transposeVjp: Vjp = ({ node, x, dy }) => {
  const { shape } = x(0);
  const perm = ints(node, 'perm') ?? shape.map((_, i) => shape.length - 1 - i);
  return dy.transpose(perm.map((_, i) => perm.indexOf(i)));
};

export const depthToSpaceVjp: Vjp = ({ node, x, dy }) => {
  const { shape } = x(0);
  const b = int(node, 'blocksize', 1);
  const [n, c, h, w] = shape as [number, number, number, number];
  const columnFirst = text(node, 'mode', 'DCR') === 'DCR';
  return dy
    .reshape([n, c / (b * b), h, b, w, b])
    .transpose(columnFirst ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4])
    .reshape(shape);
};
