import { type Lines, stepOf, varietyOf } from './coordinates.ts';

// Of several inputs, which says where the elements of an output lie.

/** How far apart in the image two elements are that count as at one place: a place of a map, but no large part of it. */
const [nearly, atMost] = [1 / 16, 1 / 6];

/** What is said of one axis of the image. */
export interface Part {
  readonly lines: Lines | null;
  readonly mixed: boolean;
}

/**
 * Of what several inputs say of one axis of the image, what says most; whether another contradicts it. A product of
 * places with places is, by its rows, where the first factor is: of attention, the tokens that look.
 */
export function chosen(said: readonly (Lines | null)[], size: number, sameShape = true): Part {
  if (!sameShape) return { lines: said.find((lines) => lines !== null) ?? null, mixed: false };
  const variety = (lines: Lines | null) => Math.max(0, ...(lines ?? []).map(varietyOf));
  const best = said.reduce<Lines | null>((a, b) => (variety(b) > variety(a) ? b : a), null);
  const mixed = said.some((lines) => lines && best && contradicts(lines, best, size));
  return { lines: best, mixed };
}

/** Whether two values have different places at the same index of an axis. */
function contradicts(a: Lines, b: Lines, size: number): boolean {
  return a.some((line, axis) => {
    const other = b[axis];
    if (!line || !other || line.length !== other.length || line.length === 1) return false;
    if (a.length !== b.length) return false;
    const near = Math.min(Math.max(Math.abs(stepOf(other)) * 1.01, size * nearly), size * atMost);
    return line.some((c, i) => Math.abs(c - other[i]!) > near);
  });
}
