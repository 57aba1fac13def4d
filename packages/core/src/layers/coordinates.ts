import { sizeOf } from '../tensor.ts';
import { indexOf } from './regroup.ts';

// Where the elements of a value lie along one axis of the image: the sum of what each axis of the value says. NaN is
// nowhere: a class token has no place.

/** What the indices of an axis add to a coordinate. */
export type Line = readonly number[];
export type Lines = readonly (Line | null)[];

/** `count` coordinates from the middle of the first cell on, where `count` cells cover what `line`'s cells cover. */
export function respaced(line: Line, count: number): Line {
  if (line.length === count) return line;
  const step = stepOf(line);
  const cell = line.length / count;
  if (isEven(line)) {
    const start = line[0]! - step / 2;
    return Array.from({ length: count }, (_, i) => start + (i + 0.5) * cell * step);
  }
  return Array.from({ length: count }, (_, i) => mean(line, i * cell, (i + 1) * cell));
}

/** The mean of a line over its cells from `start` to `end`, which may lie within a cell. */
function mean(line: Line, start: number, end: number): number {
  let [sum, length] = [0, 0];
  for (let k = Math.floor(start); k < end - 1e-9 && k < line.length; k++) {
    const part = Math.min(k + 1, end) - Math.max(k, start);
    sum += line[k]! * part;
    length += part;
  }
  return sum / length;
}

/** From one coordinate to the next, over the whole. */
export const stepOf = (line: Line): number =>
  line.length > 1 ? (line.at(-1)! - line[0]!) / (line.length - 1) : 1;

/** Whether coordinates lie as far from each other as from the next, but for what a pixel more or less makes. */
export const isEven = (line: Line, within = 1e-6): boolean => {
  const step = stepOf(line);
  return line.every((c, i) => Math.abs(c - line[0]! - i * step) <= within * Math.max(1, Math.abs(step)));
};

/** The coordinates that an output takes; what is not of the input goes on as the rest does, or is nowhere. */
export function picked(line: Line, indices: readonly number[], goesOn: boolean): Line {
  const [first, step] = [indices.findIndex((i) => i >= 0), stepOf(line)];
  return indices.map((i, k) => {
    if (i >= 0) return line[i]!;
    return goesOn && first >= 0 && isEven(line) ? line[indices[first]!]! + (k - first) * step : Number.NaN;
  });
}

/** The mean of those that are somewhere. */
export function meanOf(line: Line): number {
  const there = line.filter((c) => !Number.isNaN(c));
  return there.reduce((a, b) => a + b, 0) / Math.max(1, there.length);
}

const varieties = new WeakMap<Line, number>();

/** How many coordinates differ; the same line goes through many values. */
export function varietyOf(line: Line | null | undefined): number {
  if (!line) return 0;
  const known = varieties.get(line) ?? new Set(line.filter((c) => !Number.isNaN(c))).size;
  varieties.set(line, known);
  return known;
}

/** One axis in place of several: each sum. */
function joined(lines: Lines, sizes: readonly number[]): number[] {
  return Array.from({ length: sizeOf(sizes) }, (_, k) =>
    indexOf(k, sizes).reduce((sum, i, axis) => sum + (lines[axis]?.[i] ?? 0), 0),
  );
}

/**
 * Lines along other axes whose sums are the same elements; none where there are no such. What is the same everywhere
 * goes with the axis that has more than one index.
 */
export function reshapedLines(lines: Lines, from: readonly number[], to: readonly number[]): Lines {
  const all = joined(lines, from);
  const wide = to.flatMap((size, axis) => (size > 1 ? [axis] : []));
  if (wide.length <= 1) {
    const at = wide[0] ?? 0;
    return to.map((_, axis) => (axis === at ? all : null));
  }
  const strides = to.map((_, axis) => sizeOf(to.slice(axis + 1)));
  const single = to.map((size, axis) => Array.from({ length: size }, (_, i) => all[i * strides[axis]!]!));
  const same = (a: number, b: number) => Object.is(a, b) || Math.abs(a - b) < 1e-6;
  const held = (value: (index: readonly number[]) => number) =>
    all.every((c, k) => same(c, value(indexOf(k, to))));
  const alone = wide.find((axis) => held((index) => single[axis]![index[axis]!]!));
  if (alone !== undefined) return to.map((_, axis) => (axis === alone ? single[axis]! : null));
  const first = all[0]!;
  if (!held((index) => index.reduce((sum, i, axis) => sum + single[axis]![i]! - first, first)))
    return to.map(() => null);
  // What the first element has goes with the first axis that differs.
  const base = wide.find((axis) => varietyOf(single[axis]) > 1);
  return to.map((_, axis) => {
    if (varietyOf(single[axis]) <= 1) return null;
    return axis === base ? single[axis]! : single[axis]!.map((c) => c - first);
  });
}
