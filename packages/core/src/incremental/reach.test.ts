import { expect, it } from 'vitest';
import { type Reach, regionOf, type Slide, type Span, through, united } from './reach.ts';

const slides: Slide[] = [1, 2, 3].flatMap((kernel) =>
  [1, 2, 3].flatMap((stride) =>
    [1, 2].flatMap((dilation) => [0, 1, 2].map((before) => ({ kernel, stride, dilation, before }))),
  ),
);
const length = 7;
const all: Span[] = Array.from({ length: length + 1 }, (_, start) =>
  Array.from({ length: length + 1 - start }, (_, n): Span => [start, start + n]),
).flat();

/** Positions of a window's output that see one of these, by looking. */
function seeing([start, end]: Span, { kernel, stride, dilation, before }: Slide, out: number): number[] {
  return Array.from({ length: out }, (_, i) => i).filter((i) =>
    Array.from({ length: kernel }, (_, j) => i * stride - before + j * dilation).some(
      (at) => at >= start && at < end,
    ),
  );
}

it('a window’s output is reached from the first position that sees a change to the last; no farther without gaps', () => {
  for (const slide of slides) {
    const out =
      Math.floor((length + slide.before - (slide.kernel - 1) * slide.dilation - 1) / slide.stride) + 1;
    if (out < 1) continue;
    const { spans } = through({ length, spans: all }, slide, out);
    for (const [k, [first, last]] of spans.entries()) {
      const seen = seeing(all[k]!, slide, out);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(last).toBeLessThanOrEqual(out);
      if (all[k]![0] === all[k]![1]) expect(first).toBe(last);
      else if (slide.dilation === 1) expect(last - first).toBe(seen.length);
      if (seen.length > 0) {
        expect(first).toBeLessThanOrEqual(seen[0]!);
        expect(last).toBeGreaterThan(seen.at(-1)!);
      }
    }
  }
});

it('what is reached in nothing adds nothing to a union', () => {
  const reach = (...spans: Span[]): Reach => ({ length: 9, spans });
  const [a, b] = [reach([7, 7], [1, 3], [1, 3], [4, 4]), reach([1, 2], [8, 8], [5, 6], [4, 4])];
  expect(united(a, b).spans).toEqual([
    [1, 2],
    [1, 3],
    [1, 6],
    [4, 4],
  ]);
});

it('regions have one size, and lie inside', () => {
  expect(
    regionOf({
      length: 6,
      spans: [
        [0, 1],
        [1, 4],
        [5, 6],
      ],
    }),
  ).toEqual({ size: 3, starts: [0, 1, 3] });
});
