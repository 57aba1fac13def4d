import { sizeOf } from '../../tensor.ts';
import { int, ints } from '../graph.ts';
import {
  axisOf,
  broadcast,
  broadcastOffsets,
  type Fact,
  type ShapeContext,
  ShapeError,
  type ShapeRules,
  stridesOf,
} from './fact.ts';

/** The elements of `value` at the given indices per axis. */
function pick(
  value: readonly number[] | undefined,
  shape: readonly number[],
  indices: readonly (readonly number[])[],
): number[] | undefined {
  if (!value) return undefined;
  const strides = stridesOf(shape);
  let offsets = [0];
  indices.forEach((index, axis) => {
    offsets = offsets.flatMap((o) => index.map((i) => o + i * strides[axis]!));
  });
  return offsets.map((o) => value[o]!);
}

const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The indices that a Slice takes along one axis of length `size`. */
export function sliceIndices(size: number, start: number, end: number, step: number): number[] {
  const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v < 0 ? v + size : v, low), high);
  const first = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
  const last = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
  const count = Math.max(0, Math.ceil((last - first) / step));
  return Array.from({ length: count }, (_, i) => first + i * step);
}

/** Per-axis indices of a Slice node. */
export function slicedIndices(
  shape: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes?: readonly number[],
  steps?: readonly number[],
): number[][] {
  const indices = shape.map((d) => all(d));
  (axes ?? starts.map((_, i) => i)).forEach((a, i) => {
    const axis = axisOf(a, shape.length);
    indices[axis] = sliceIndices(shape[axis]!, starts[i]!, ends[i]!, steps?.[i] ?? 1);
  });
  return indices;
}

export function splitSizes(size: number, outputs: number, given: readonly number[] | undefined): number[] {
  if (given) return [...given];
  const each = Math.ceil(size / outputs);
  return Array.from({ length: outputs }, (_, i) => Math.min(each, size - i * each));
}

const reshaped = (x: Fact, shape: readonly number[]): readonly Fact[] => [{ ...x, shape }];

function reshapeTo(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const copyZero = int(c.node, 'allowzero', 0) === 0;
  const target = c.value(1).map((d, i) => (d === 0 && copyZero ? x.shape[i]! : d));
  const total = sizeOf(x.shape);
  const known = sizeOf(target.filter((d) => d !== -1));
  const shape = target.map((d) => (d === -1 ? total / known : d));
  if (sizeOf(shape) !== total || shape.some((d) => !Number.isInteger(d)))
    throw new ShapeError(`Reshape of [${x.shape}] to [${target}]`);
  return reshaped(x, shape);
}

function resizedShape(c: ShapeContext): readonly number[] {
  const { shape } = c.x(0);
  const axes = ints(c.node, 'axes')?.map((a) => axisOf(a, shape.length)) ?? shape.map((_, i) => i);
  const given = c.has(3) ? c.value(3) : c.value(2);
  const sizes = [...shape];
  axes.forEach((axis, i) => {
    sizes[axis] = c.has(3) ? given[i]! : Math.floor(shape[axis]! * given[i]!);
  });
  return sizes;
}

export const movement: ShapeRules = {
  Reshape: reshapeTo,
  Flatten(c) {
    const x = c.x(0);
    const axis = int(c.node, 'axis', 1);
    const at = axis < 0 ? axis + x.shape.length : axis;
    return reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
  },
  Squeeze(c) {
    const x = c.x(0);
    const axes = c.has(1) ? c.value(1).map((a) => axisOf(a, x.shape.length)) : undefined;
    return reshaped(
      x,
      x.shape.filter((d, i) => (axes ? !axes.includes(i) : d !== 1)),
    );
  },
  Unsqueeze(c) {
    const x = c.x(0);
    const rank = x.shape.length + c.value(1).length;
    const axes = c.value(1).map((a) => axisOf(a, rank));
    const rest = x.shape.values();
    return reshaped(
      x,
      Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.next().value!)),
    );
  },
  Transpose(c) {
    const { dtype, shape } = c.x(0);
    const perm = ints(c.node, 'perm') ?? shape.map((_, i) => shape.length - 1 - i);
    return [{ dtype, shape: perm.map((p) => shape[p]!) }];
  },
  Concat(c) {
    const facts = Array.from({ length: c.count }, (_, i) => c.x(i));
    const first = facts[0]!;
    const axis = axisOf(int(c.node, 'axis', 0), first.shape.length);
    for (const f of facts)
      if (f.shape.length !== first.shape.length || f.shape.some((d, i) => i !== axis && d !== first.shape[i]))
        throw new ShapeError(`Concat of [${first.shape}] with [${f.shape}] along axis ${axis}`);
    const shape = first.shape.map((d, i) =>
      i === axis ? facts.reduce((sum, f) => sum + f.shape[axis]!, 0) : d,
    );
    const value =
      first.shape.length === 1 && facts.every((f) => f.value) ? facts.flatMap((f) => f.value!) : undefined;
    return [{ dtype: first.dtype, shape, value }];
  },
  Split(c) {
    const x = c.x(0);
    const axis = axisOf(int(c.node, 'axis', 0), x.shape.length);
    const sizes = splitSizes(x.shape[axis]!, c.node.outputs.length, c.has(1) ? c.value(1) : undefined);
    let start = 0;
    return sizes.map((size) => {
      const indices = x.shape.map((d, i) => (i === axis ? all(size).map((k) => k + start) : all(d)));
      start += size;
      return { dtype: x.dtype, shape: indices.map((i) => i.length), value: pick(x.value, x.shape, indices) };
    });
  },
  Slice(c) {
    const x = c.x(0);
    const indices = slicedIndices(
      x.shape,
      c.value(1),
      c.value(2),
      c.has(3) ? c.value(3) : undefined,
      c.has(4) ? c.value(4) : undefined,
    );
    return [{ dtype: x.dtype, shape: indices.map((i) => i.length), value: pick(x.value, x.shape, indices) }];
  },
  Gather(c) {
    const x = c.x(0);
    const index = c.x(1);
    const axis = axisOf(int(c.node, 'axis', 0), x.shape.length);
    const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
    const chosen = index.value?.map((i) => (i < 0 ? i + x.shape[axis]! : i));
    const value =
      chosen &&
      pick(
        x.value,
        x.shape,
        x.shape.map((d, i) => (i === axis ? chosen : all(d))),
      );
    return [{ dtype: x.dtype, shape, value }];
  },
  GatherElements: (c) => [{ dtype: c.x(0).dtype, shape: c.x(1).shape }],
  GatherND(c) {
    const index = c.x(1).shape;
    const batch = int(c.node, 'batch_dims', 0);
    return [
      { dtype: c.x(0).dtype, shape: [...index.slice(0, -1), ...c.x(0).shape.slice(batch + index.at(-1)!)] },
    ];
  },
  Expand(c) {
    const x = c.x(0);
    const shape = broadcast(x.shape, c.value(1));
    const value =
      x.value && sizeOf(shape) <= 4096
        ? Array.from(broadcastOffsets(x.shape, shape), (o) => x.value![o]!)
        : undefined;
    return [{ dtype: x.dtype, shape, value }];
  },
  Tile: (c) => [{ dtype: c.x(0).dtype, shape: c.x(0).shape.map((d, i) => d * c.value(1)[i]!) }],
  Pad(c) {
    const { dtype, shape } = c.x(0);
    const axes = c.has(3) ? c.value(3).map((a) => axisOf(a, shape.length)) : shape.map((_, i) => i);
    const pads = c.value(1);
    const sizes = [...shape];
    axes.forEach((axis, i) => {
      sizes[axis] = shape[axis]! + pads[i]! + pads[i + axes.length]!;
    });
    return [{ dtype, shape: sizes }];
  },
  DepthToSpace(c) {
    const { dtype, shape } = c.x(0);
    const b = int(c.node, 'blocksize', 1);
    return [{ dtype, shape: [shape[0]!, shape[1]! / (b * b), shape[2]! * b, shape[3]! * b] }];
  },
  SpaceToDepth(c) {
    const { dtype, shape } = c.x(0);
    const b = int(c.node, 'blocksize', 1);
    return [{ dtype, shape: [shape[0]!, shape[1]! * b * b, shape[2]! / b, shape[3]! / b] }];
  },
  Resize: (c) => [{ dtype: c.x(0).dtype, shape: resizedShape(c) }],
  Shape(c) {
    const { shape } = c.x(0);
    const value = shape.slice(int(c.node, 'start', 0), int(c.node, 'end', shape.length));
    return [{ dtype: 'int64', shape: [value.length], value }];
  },
  Size: (c) => [{ dtype: 'int64', shape: [], value: [sizeOf(c.x(0).shape)] }],
  ConstantOfShape(c) {
    const shape = c.value(0);
    const fill = c.node.attributes.value;
    const filler = typeof fill === 'object' && 'tensor' in fill ? fill.tensor : undefined;
    const size = sizeOf(shape);
    const value = size <= 4096 ? Array<number>(size).fill(Number(filler?.data[0] ?? 0)) : undefined;
    return [{ dtype: filler?.dtype ?? 'float32', shape, value }];
  },
  Range(c) {
    const [start, limit, delta] = [c.value(0)[0]!, c.value(1)[0]!, c.value(2)[0]!];
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    return [
      {
        dtype: c.x(0).dtype,
        shape: [count],
        value: Array.from({ length: count }, (_, i) => start + i * delta),
      },
    ];
  },
  OneHot(c) {
    const { shape } = c.x(0);
    const axis = axisOf(int(c.node, 'axis', -1), shape.length + 1);
    return [{ dtype: c.x(2).dtype, shape: shape.toSpliced(axis, 0, c.value(1)[0]!) }];
  },
  TopK(c) {
    const { dtype, shape } = c.x(0);
    const axis = axisOf(int(c.node, 'axis', -1), shape.length);
    const out = shape.with(axis, c.value(1)[0]!);
    return [
      { dtype, shape: out },
      { dtype: 'int64', shape: out },
    ];
  },
  EyeLike: (c) => [{ dtype: c.x(0).dtype, shape: c.x(0).shape }],
};
