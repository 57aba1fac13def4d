import { type Fact, followed, ShapeError } from '../../onnx/fact.ts';
import { int, ints } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { axisOf, broadcast, broadcastOffsets, type ShapeContext, type ShapeRule, stridesOf } from './rule.ts';

const reshaped = (x: Fact, shape: readonly number[]): readonly Fact[] => [{ ...x, shape }];

export function reshapeShape(c: ShapeContext): readonly Fact[] {
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

function transposed({ dtype, shape, value }: Fact, perm: readonly number[]): Fact {
  const out = perm.map((p) => shape[p]!);
  if (!value) return { dtype, shape: out };
  const [from, to] = [stridesOf(shape), stridesOf(out)];
  const offset = (k: number) =>
    perm.reduce((sum, p, i) => sum + (Math.floor(k / to[i]!) % out[i]!) * from[p]!, 0);
  return { dtype, shape: out, value: value.map((_, k) => value[offset(k)]!) };
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

export function flattenShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const axis = int(c.node, 'axis', 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
}

export function squeezeShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const axes = c.has(1) ? c.value(1).map((a) => axisOf(a, x.shape.length)) : undefined;
  return reshaped(
    x,
    x.shape.filter((d, i) => (axes ? !axes.includes(i) : d !== 1)),
  );
}

export function unsqueezeShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const rank = x.shape.length + c.value(1).length;
  const axes = c.value(1).map((a) => axisOf(a, rank));
  const rest = x.shape.values();
  return reshaped(
    x,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.next().value!)),
  );
}

export function transposeShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const perm = ints(c.node, 'perm') ?? x.shape.map((_, i) => x.shape.length - 1 - i);
  return [transposed(x, perm)];
}

export function concatShape(c: ShapeContext): readonly Fact[] {
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
}

export function expandShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  const shape = broadcast(x.shape, c.value(1));
  const value =
    x.value && sizeOf(shape) <= followed
      ? Array.from(broadcastOffsets(x.shape, shape), (o) => x.value![o]!)
      : undefined;
  return [{ dtype: x.dtype, shape, value }];
}

export const tileShape: ShapeRule = (c) => [
  { dtype: c.x(0).dtype, shape: c.x(0).shape.map((d, i) => d * c.value(1)[i]!) },
];

export function padShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const axes = c.has(3) ? c.value(3).map((a) => axisOf(a, shape.length)) : shape.map((_, i) => i);
  const pads = c.value(1);
  const sizes = [...shape];
  axes.forEach((axis, i) => {
    sizes[axis] = shape[axis]! + pads[i]! + pads[i + axes.length]!;
  });
  return [{ dtype, shape: sizes }];
}

export function depthToSpaceShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const b = int(c.node, 'blocksize', 1);
  return [{ dtype, shape: [shape[0]!, shape[1]! / (b * b), shape[2]! * b, shape[3]! * b] }];
}

export function spaceToDepthShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const b = int(c.node, 'blocksize', 1);
  return [{ dtype, shape: [shape[0]!, shape[1]! * b * b, shape[2]! / b, shape[3]! / b] }];
}

export const resizeShape: ShapeRule = (c) => [{ dtype: c.x(0).dtype, shape: resizedShape(c) }];

export function topKShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const axis = axisOf(int(c.node, 'axis', -1), shape.length);
  const out = shape.with(axis, c.value(1)[0]!);
  return [
    { dtype, shape: out },
    { dtype: 'int64', shape: out },
  ];
}

export const gridSampleShape: ShapeRule = (c) => [
  { dtype: c.x(0).dtype, shape: [...c.x(0).shape.slice(0, 2), ...c.x(1).shape.slice(1, -1)] },
];
