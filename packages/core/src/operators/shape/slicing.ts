import { type Fact, followed, ShapeError } from '../../onnx/fact.ts';
import { int } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { axisOf, type ShapeContext, type ShapeRule, stridesOf } from './rule.ts';

// Operators that take elements by position, as shape arithmetic does with shapes.

/** Equally spaced positions along an axis. */
export interface Run {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export const positionsOf = ({ first, step, count }: Run): number[] =>
  Array.from({ length: count }, (_, i) => first + i * step);

const whole = (size: number): Run => ({ first: 0, step: 1, count: size });

/** Finds the positions that a Slice takes along one axis of length `size`. */
function sliceRun(size: number, start: number, end: number, step: number): Run {
  if (step === 0) throw new ShapeError('a Slice with step 0');
  const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v < 0 ? v + size : v, low), high);
  const first = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
  const last = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
  return { first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Finds a Slice's positions per axis. */
export function slicedRuns(
  shape: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] = [...starts.keys()],
  steps?: readonly number[],
): Run[] {
  const runs = shape.map(whole);
  axes.forEach((a, i) => {
    const axis = axisOf(a, shape.length);
    runs[axis] = sliceRun(shape[axis]!, starts[i]!, ends[i]!, steps?.[i] ?? 1);
  });
  return runs;
}

export function splitSizes(size: number, outputs: number, given: readonly number[] | undefined): number[] {
  if (given) return [...given];
  const each = Math.ceil(size / outputs);
  return Array.from({ length: outputs }, (_, i) => Math.min(each, size - i * each));
}

/** Takes the part of `x` at given positions of each axis; a list may be of any shape, which replaces the axis. */
function taken(x: Fact, shape: readonly number[], positions: readonly (Run | readonly number[])[]): Fact {
  if (!x.value || sizeOf(shape) > followed) return { dtype: x.dtype, shape };
  const strides = stridesOf(x.shape);
  let offsets = [0];
  positions.forEach((position, axis) => {
    const list = 'first' in position ? positionsOf(position) : position;
    offsets = offsets.flatMap((o) => list.map((i) => o + i * strides[axis]!));
  });
  return { dtype: x.dtype, shape, value: offsets.map((o) => x.value![o]!) };
}

export function sliceShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const optional = (i: number) => (c.has(i) ? c.value(i) : undefined);
  const runs = slicedRuns(x.shape, c.value(1), c.value(2), optional(3), optional(4));
  return [
    taken(
      x,
      runs.map((run) => run.count),
      runs,
    ),
  ];
}

export function splitShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const axis = axisOf(int(c.node, 'axis', 0), x.shape.length);
  const sizes = splitSizes(x.shape[axis]!, c.node.outputs.length, c.has(1) ? c.value(1) : undefined);
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[axis])
    throw new ShapeError(`Split of ${x.shape[axis]} into ${sizes.join(' + ')}`);
  let first = 0;
  return sizes.map((count) => {
    const runs = x.shape.map((d, i) => (i === axis ? { first, step: 1, count } : whole(d)));
    first += count;
    return taken(x, x.shape.with(axis, count), runs);
  });
}

export function gatherShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const index = c.x(1);
  const axis = axisOf(int(c.node, 'axis', 0), x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
  if (!index.value) return [{ dtype: x.dtype, shape }];
  const chosen = index.value.map((i) => (i < 0 ? i + x.shape[axis]! : i));
  if (chosen.some((i) => i < 0 || i >= x.shape[axis]!))
    throw new ShapeError(`Gather beyond the ${x.shape[axis]} elements of axis ${axis}`);
  return [
    taken(
      x,
      shape,
      x.shape.map((d, i) => (i === axis ? chosen : whole(d))),
    ),
  ];
}

export const gatherElementsShape: ShapeRule = (c) => [{ dtype: c.x(0).dtype, shape: c.x(1).shape }];

export function gatherNDShape(c: ShapeContext): readonly Fact[] {
  const index = c.x(1).shape;
  const batch = int(c.node, 'batch_dims', 0);
  return [
    { dtype: c.x(0).dtype, shape: [...index.slice(0, -1), ...c.x(0).shape.slice(batch + index.at(-1)!)] },
  ];
}
