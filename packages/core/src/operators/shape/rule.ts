import { type Fact, ShapeError } from '../../onnx/fact.ts';
import type { Node } from '../../onnx/graph.ts';

export interface ShapeContext {
  readonly node: Node;
  /** Returns the fact of input `i`; throws `Unknown` if the input is absent or nothing is known of it. */
  x(i: number): Fact;
  has(i: number): boolean;
  /** Returns the elements of input `i`; throws `Unknown` if they are not known. */
  value(i: number): readonly number[];
  readonly count: number;
}

/** Infers the facts of a node's outputs from the facts of its inputs. */
export type ShapeRule = (c: ShapeContext) => readonly Fact[];

/** Signals that an input is unknown, so nothing can be inferred; not an error. */
export class Unknown extends Error {
  override readonly name = 'Unknown';
}

export const like = ({ dtype, shape }: Fact): readonly Fact[] => [{ dtype, shape }];

/** Converts an axis that may count from the end to 0..rank-1. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= Math.max(rank, 1))
    throw new ShapeError(`axis ${axis} is outside rank ${rank}`);
  return positive;
}

/** Broadcasts shapes as NumPy does. */
export function broadcast(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[i - rank + s.length] ?? 1).filter((d) => d !== 1);
    if (sizes.some((d) => d !== sizes[0]))
      throw new ShapeError(`shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`);
    return sizes[0] ?? 1;
  });
}

/** Lists row-major offsets into an array of `shape`, one for each element of `shape` broadcast to `to`. */
export function* broadcastOffsets(shape: readonly number[], to: readonly number[]): Generator<number> {
  const padded = [...Array<number>(to.length - shape.length).fill(1), ...shape];
  const strides = stridesOf(padded).map((s, i) => (padded[i] === 1 ? 0 : s));
  const total = to.reduce((a, b) => a * b, 1);
  const outer = stridesOf(to);
  for (let k = 0; k < total; k++) {
    let offset = 0;
    for (let i = 0; i < to.length; i++) offset += (Math.floor(k / outer[i]!) % to[i]!) * strides[i]!;
    yield offset;
  }
}

export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}
