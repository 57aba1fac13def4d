import { type Fact, followed } from '../../onnx/fact.ts';
import { int } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { axisOf, type ShapeContext, type ShapeRule } from './rule.ts';

// Operators that make a tensor from a shape, a count or indices.

export function shapeShape(c: ShapeContext): readonly Fact[] {
  const { shape } = c.x(0);
  const value = shape.slice(int(c.node, 'start', 0), int(c.node, 'end', shape.length));
  return [{ dtype: 'int64', shape: [value.length], value }];
}

export const sizeShape: ShapeRule = (c) => [{ dtype: 'int64', shape: [], value: [sizeOf(c.x(0).shape)] }];

export function constantOfShapeShape(c: ShapeContext): readonly Fact[] {
  const shape = c.value(0);
  const fill = c.node.attributes.value;
  const filler = typeof fill === 'object' && 'tensor' in fill ? fill.tensor : undefined;
  const size = sizeOf(shape);
  const value = size <= followed ? Array<number>(size).fill(Number(filler?.data[0] ?? 0)) : undefined;
  return [{ dtype: filler?.dtype ?? 'float32', shape, value }];
}

export function rangeShape(c: ShapeContext): readonly Fact[] {
  const [start, limit, delta] = [c.value(0)[0]!, c.value(1)[0]!, c.value(2)[0]!];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const value = count <= followed ? Array.from({ length: count }, (_, i) => start + i * delta) : undefined;
  return [{ dtype: c.x(0).dtype, shape: [count], value }];
}

export function oneHotShape(c: ShapeContext): readonly Fact[] {
  const { shape, value: hot } = c.x(0);
  const { dtype, value: range } = c.x(2);
  const depth = c.value(1)[0]!;
  const axis = axisOf(int(c.node, 'axis', -1), shape.length + 1);
  const out = shape.toSpliced(axis, 0, depth);
  if (!hot || !range || sizeOf(out) > followed) return [{ dtype, shape: out }];
  const inner = sizeOf(shape.slice(axis));
  const value = Array.from({ length: sizeOf(out) }, (_, k) => {
    const index = hot[Math.floor(k / (inner * depth)) * inner + (k % inner)]!;
    return range[Number((index < 0 ? index + depth : index) === Math.floor(k / inner) % depth)]!;
  });
  return [{ dtype, shape: out, value }];
}
