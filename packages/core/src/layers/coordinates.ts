import { sizeOf } from '../tensor.ts';
import { indexOf } from './regroup.ts';

// Coordinates of a value's elements along one axis of the image: each is the sum of what the axes of the value add.
// NaN means no place, as for a class token.

/** The numbers that the indices of an axis add to a coordinate. */
export type Line = readonly number[];
export type Lines = readonly (Line | null)[];

/** Gives the middles of `count` cells that together cover the same part as the cells of `line`. */
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

/** Gives the mean of a line over its cells from `start` to `end`, each of which may lie within a cell. */
function mean(line: Line, start: number, end: number): number {
  let [sum, length] = [0, 0];
  for (let k = Math.floor(start); k < end - 1e-9 && k < line.length; k++) {
    const part = Math.min(k + 1, end) - Math.max(k, start);
    sum += line[k]! * part;
    length += part;
  }
  return sum / length;
}

/** Gives the mean distance from one coordinate to the next. */
export const stepOf = (line: Line): number =>
  line.length > 1 ? (line.at(-1)! - line[0]!) / (line.length - 1) : 1;

/** Whether coordinates are evenly spaced, up to `within` of a step (or of a pixel, for smaller steps). */
export const isEven = (line: Line, within = 1e-6): boolean => {
  const step = stepOf(line);
  return line.every((c, i) => Math.abs(c - line[0]! - i * step) <= within * Math.max(1, Math.abs(step)));
};

/** Gives the coordinates that an output takes; elements not from the input continue the line, or have no place. */
export function picked(line: Line, indices: readonly number[], goesOn: boolean): Line {
  const [first, step] = [indices.findIndex((i) => i >= 0), stepOf(line)];
  return indices.map((i, k) => {
    if (i >= 0) return line[i]!;
    return goesOn && first >= 0 && isEven(line) ? line[indices[first]!]! + (k - first) * step : Number.NaN;
  });
}

/** Gives the mean of the coordinates that have a place. */
export function meanOf(line: Line): number {
  const there = line.filter((c) => !Number.isNaN(c));
  return there.reduce((a, b) => a + b, 0) / Math.max(1, there.length);
}

const varieties = new WeakMap<Line, number>();

/** Counts the distinct coordinates, once per line: many values share the same line. */
export function varietyOf(line: Line | null | undefined): number {
  if (!line) return 0;
  const known = varieties.get(line) ?? new Set(line.filter((c) => !Number.isNaN(c))).size;
  varieties.set(line, known);
  return known;
}

/** Joins several axes into one: gives the sum of coordinates for each element. */
function joined(lines: Lines, sizes: readonly number[]): number[] {
  return Array.from({ length: sizeOf(sizes) }, (_, k) =>
    indexOf(k, sizes).reduce((sum, i, axis) => sum + (lines[axis]?.[i] ?? 0), 0),
  );
}

/**
 * Finds lines along other axes with the same sum for every element; all are `null` if there are no such lines. A
 * constant coordinate goes to the axis that has more than one index.
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
  // The coordinate of the first element goes to the first axis whose coordinates differ.
  const base = wide.find((axis) => varietyOf(single[axis]) > 1);
  return to.map((_, axis) => {
    if (varietyOf(single[axis]) <= 1) return null;
    return axis === base ? single[axis]! : single[axis]!.map((c) => c - first);
  });
}
