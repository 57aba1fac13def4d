import { describe, expect, it } from 'vitest';
import { softmax } from '../../softmax.ts';
import { float32, row } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';
import { uniform } from '../shared/random.ts';

/** Cells at a pixel of a mask of 6 by 6, cut out of 8 by 8 from `offset` on, by looking them up. */
function maskOf(cells: readonly (readonly number[])[], [down, across]: readonly [number, number]): number[] {
  const mirrored = (k: number) => (k < 0 ? -k : k > 2 ? 4 - k : k);
  const at = (y: number, x: number) => cells[mirrored(y)]![mirrored(x)]!;
  return Array.from({ length: 36 }, (_, i) => {
    const place = (pixel: number) => ((pixel + 0.5) * 3) / 8 - 0.5;
    const [y, x] = [place(Math.floor(i / 6) + down), place((i % 6) + across)];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const along = (r: number) => at(r, left) * (left + 1 - x) + at(r, left + 1) * (x - left);
    return along(top) * (top + 1 - y) + along(top + 1) * (y - top);
  });
}

const image = row(tinyImages(), 0);
const raw = { normalized: false, cells: 3, p: 0.5 };

describe('RISE', () => {
  it('makes masks as the authors do, with scikit-image', () => {
    const found = maskOf(
      [
        [0, 1, 1],
        [1, 0, 0],
        [0, 0, 0],
      ],
      [0, 1],
    );
    const recorded = [
      [0.335938, 0.476562, 0.617188, 0.6875, 0.6875, 0.6875],
      [0.117188, 0.445312, 0.773438, 0.9375, 0.9375, 0.9375],
      [0.445312, 0.492188, 0.539062, 0.5625, 0.5625, 0.5625],
      [0.773438, 0.539062, 0.304688, 0.1875, 0.1875, 0.1875],
      [0.761719, 0.457031, 0.152344, 0, 0, 0],
      [0.410156, 0.246094, 0.082031, 0, 0, 0],
    ];
    for (const [i, value] of recorded.flat().entries()) expect(found[i]).toBeCloseTo(value, 5);
  });

  it('is the mean of its masks, weighted with the probability of the image under each', async () => {
    const [n_masks, seed] = [5, 3];
    const spec = { method: 'rise', parameters: { ...raw, n_masks, seed } };
    const { attribution } = await explain(tinyNetwork(), spec, image, [1]);
    const expected = Array<number>(36).fill(0);
    for (let s = 0; s < n_masks; s++) {
      const draw = Array.from({ length: 11 }, (_, i) => uniform(seed, s * 11 + i));
      const seen = [2, 5, 8].map((k) => draw.slice(k, k + 3).map((u) => Number(u < 0.5)));
      const mask = maskOf(seen, [Math.floor(draw[0]! * 2), Math.floor(draw[1]! * 2)]);
      const masked = float32(
        image.shape,
        image.data.map((v, i) => v * mask[i % 36]!),
      );
      const { logits } = await explain(tinyNetwork(), { method: 'saliency' }, masked, [1]);
      const [, probability] = softmax(logits.data);
      for (const [i, m] of mask.entries()) expected[i]! += (probability! * m) / n_masks / 0.5;
    }
    for (const [i, value] of expected.entries()) expect(attribution.data[i]).toBeCloseTo(value, 6);
  });

  it('replays recorded masks, any number of them', async () => {
    const masks = float32([2, 6, 6], [...Array<number>(36).fill(1), ...Array<number>(36).fill(0)]);
    const { attribution, logits } = await explain(
      tinyNetwork(),
      { method: 'rise', parameters: raw },
      image,
      [2],
      { aux: { masks } },
    );
    const probability = softmax(logits.data)[2]!;
    for (const value of attribution.data) expect(value).toBeCloseTo(probability, 6); // 1/(2·½) (p·1 + p'·0)
  });
});
