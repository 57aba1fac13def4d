// Finds, along one axis, the positions of a map that a change of the image can reach, for each of several changes.

/** Positions start, …, end - 1. */
export type Span = readonly [start: number, end: number];

/** The span that each change reaches, of a map that is `length` long. */
export interface Reach {
  readonly length: number;
  readonly spans: readonly Span[];
}

/** A sliding window along one axis; position i of its output sees i·stride - before + j·dilation, j < kernel. */
export interface Slide {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/** Finds what the changes reach of the output, `length` long, of a window that slides over the map. */
export function through(reach: Reach, slide: Slide, length: number): Reach {
  const { kernel, stride, dilation, before } = slide;
  const within = (i: number) => Math.min(Math.max(i, 0), length);
  const spans = reach.spans.map(([start, end]): Span => {
    const first = within(Math.ceil((start + before - (kernel - 1) * dilation) / stride));
    const last = within(Math.floor((end - 1 + before) / stride) + 1);
    return end > start && last > first ? [first, last] : [first, first];
  });
  return { length, spans };
}

/** Unites what is reached in two maps of the same length. */
export const united = (a: Reach, b: Reach): Reach => ({
  length: a.length,
  spans: a.spans.map(([start, end], k): Span => {
    const [from, to] = b.spans[k]!;
    if (start === end) return [from, to];
    return from === to ? [start, end] : [Math.min(start, from), Math.max(end, to)];
  }),
});

/** The same number of positions for each change, from `starts` on; they may lie outside the map. */
export interface Region {
  readonly size: number;
  readonly starts: readonly number[];
}

/** Finds the smallest regions of equal size, inside the map, that contain what is reached. */
export function regionOf({ length, spans }: Reach): Region {
  const size = spans.reduce((most, [start, end]) => Math.max(most, end - start), 1);
  return { size, starts: spans.map(([start]) => Math.min(start, length - size)) };
}

/** Finds the positions that a sliding window reads to make these positions of its output. */
export const seenBy = ({ kernel, stride, dilation, before }: Slide, { size, starts }: Region): Region => ({
  size: (size - 1) * stride + (kernel - 1) * dilation + 1,
  starts: starts.map((start) => start * stride - before),
});

export const everything = ({ length, spans }: Reach): Region => ({
  size: length,
  starts: spans.map(() => 0),
});

export const sameRegion = (a: Region, b: Region): boolean =>
  a.size === b.size && a.starts.every((start, k) => start === b.starts[k]);
