import { sizeOf } from '../tensor.ts';

// A Reshape takes runs of neighbouring axes together: [N, T, C] to [N·T, heads, C/heads] is N with T, and C by itself.

/** Axes of one shape, and the axes of another shape that hold the same elements. */
export interface Run {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Finds the shortest runs of axes of two shapes that have equally many elements. */
export function runsOf(from: readonly number[], to: readonly number[]): Run[] {
  const runs: Run[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const run = { from: [] as number[], to: [] as number[] };
    let [a, b] = [1, 1];
    do {
      if (i < from.length && (a <= b || j >= to.length)) {
        a *= from[i]!;
        run.from.push(i++);
      } else {
        b *= to[j]!;
        run.to.push(j++);
      }
    } while ((a !== b || run.to.length === 0 || run.from.length === 0) && (i < from.length || j < to.length));
    runs.push(run);
  }
  return runs;
}

/** Gives the index along each axis of element `k` of a row-major array. */
export function indexOf(k: number, sizes: readonly number[]): number[] {
  const index = Array<number>(sizes.length);
  for (let axis = sizes.length - 1, rest = k; axis >= 0; axis--) {
    index[axis] = rest % sizes[axis]!;
    rest = Math.floor(rest / sizes[axis]!);
  }
  return index;
}

/** The most elements of a run that is followed: no network cuts up more places in one step. */
const most = 2 ** 18;

/** Applies `reshape` to the values along the axes of `from`, run by run, to get those along the axes of `to`. */
export function regrouped<T>(
  along: readonly (T | null)[],
  from: readonly number[],
  to: readonly number[],
  reshape: (
    along: readonly (T | null)[],
    from: readonly number[],
    to: readonly number[],
  ) => readonly (T | null)[],
): (T | null)[] | undefined {
  const made = Array<T | null>(to.length).fill(null);
  for (const run of runsOf(from, to)) {
    const said = run.from.map((axis) => along[axis]!);
    if (said.every((each) => each === null)) continue;
    const [before, after] = [run.from.map((a) => from[a]!), run.to.map((a) => to[a]!)];
    if (sizeOf(before) > most) return undefined;
    const same = before.length === 1 && after.length === 1;
    const parts = same ? said : reshape(said, before, after);
    for (const [i, axis] of run.to.entries()) made[axis] = parts[i] ?? null;
  }
  return made;
}
