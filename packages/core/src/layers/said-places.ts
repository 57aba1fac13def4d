import { type Lines, stepOf, varietyOf } from './coordinates.ts';

// Decides which of several inputs determines where the elements of an output lie.

/** The distance up to which two elements count as at one place, in shares of the image: the least, and the most. */
const [nearly, atMost] = [1 / 16, 1 / 6];

/** The coordinates along one axis of the image, and whether inputs contradict each other. */
export interface Part {
  readonly lines: Lines | null;
  readonly mixed: boolean;
}

/**
 * Chooses, from several inputs' lines along one axis of the image, those with the most distinct coordinates; tells if
 * others contradict them. In a product of places with places, the first factor decides: in attention, the queries.
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
