import { z } from 'zod';
import { type Expression, sumOf } from '../../onnx/expression.ts';
import { float32, type Tensor } from '../../tensor.ts';
import { defineMethod, type SampleSet, type Setting, type Subject } from '../method.ts';
import { camOutput, mapParams } from '../shared/cam.ts';
import { seedParam } from '../shared/noise.ts';
import { uniform } from '../shared/random.ts';
import { replayed } from '../shared/replayed.ts';

const parameters = z.strictObject({
  ...mapParams,
  n_masks: z.int().min(1).default(4000).describe('Random masks'),
  cells: z.int().min(2).default(7).describe('Cells of a mask, across and down'),
  p: z.number().gt(0).max(1).default(0.5).describe('Probability that a cell is seen'),
  seed: seedParam,
});
type RiseParams = z.infer<typeof parameters>;

/**
 * RISE: the mean of random masks, weighted with the score of the image seen through them.
 *
 *     map = 1/(n·p) Σ_s y_c(M_s ⊙ x) M_s
 *
 * A mask is a grid of cells, each seen with probability p, enlarged bilinearly to (cells + 1)·cell and cut to the image
 * at a random offset within a cell. The score is the model's probability of the class, or the unchanged number if the
 * model gives no probability, unless another score is asked for. Recorded `masks` [S, H, W] replace random ones.
 *
 * @see Petsiuk, Das & Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018
 * @example createExplainer(classifier, { method: 'rise', parameters: { n_masks: 20, cells: 3 } }, runtime)
 */
export const rise = defineMethod<RiseParams>({
  id: 'rise',
  title: 'RISE',
  summary: 'Random masks, weighted with what the model says of the image seen through each; no gradients.',
  paper: 'https://arxiv.org/abs/1806.07421',
  version: '1',
  kind: 'map',
  needs: [],
  conventions: ['paper'],
  score: 'probability',
  parameters,
  sampled: true,
  aux: ['masks'],
  explain(subject, setting) {
    const { height, width } = setting;
    const recorded = subject.aux.masks;
    if (!recorded) {
      const samples = drawnCells(setting);
      return meanOf(subject, setting, samples, ({ seen, offsets }) => masksOf(seen, offsets, setting));
    }
    const expected = { masks: float32([1, height, width], new Float32Array(height * width)) };
    const { masks } = replayed(expected, subject.aux);
    const samples = { masks, share: shareOf(masks.shape[0]!) };
    return meanOf(subject, setting, samples, ({ masks }) => masks);
  },
});

/** Averages masks [S, H, W], weighted with the scores of the image seen through them. */
function meanOf<S extends SampleSet & { readonly share: Tensor }>(
  { image, at, over }: Subject,
  setting: Setting<RiseParams>,
  samples: S,
  masksIn: (chunk: { readonly [K in keyof S]: Expression }) => Expression,
): Expression {
  const { height, width, layout } = setting;
  const total = over(samples, (chunk) => {
    const masks = masksIn(chunk);
    const count = masks.shape[0]!;
    const seen = masks.reshape(layout === 'NCHW' ? [count, 1, height, width] : [count, height, width, 1]);
    const scores = at(seen.mul(image)).score.reshape([1, count]);
    const sum = scores.mul(chunk.share).matmul(masks.reshape([count, height * width]));
    return sum.reshape([1, height, width]);
  });
  return camOutput([total.mul(1 / setting.parameters.p)], setting, { signed: true });
}

/** Draws grids of cells that are seen, and the offset of each grid. */
function drawnCells({ parameters: { n_masks: count, cells, p, seed }, height, width }: Setting<RiseParams>) {
  const own = cells * cells + 2;
  const draws = Array.from({ length: count }, (_, s) =>
    Array.from({ length: own }, (_, i) => uniform(seed, s * own + i)),
  );
  const offset = (u: number, size: number) => Math.floor(u * Math.ceil(size / cells));
  return {
    seen: float32(
      [count, cells, cells],
      draws.flatMap((draw) => draw.slice(2).map((u) => Number(u < p))),
    ),
    offsets: float32(
      [count, 2],
      draws.flatMap(([down, across]) => [offset(down!, height), offset(across!, width)]),
    ),
    share: shareOf(count),
  };
}

const shareOf = (count: number) => float32([count], Array<number>(count).fill(1 / count));

/** Makes masks [S, H, W] from cells [S, cells, cells] at offsets [S, 2]. */
function masksOf(seen: Expression, offsets: Expression, { height, width }: Setting<RiseParams>): Expression {
  const [count, cells] = seen.shape as [number, number];
  const along = (axis: number, size: number) =>
    bilinear(offsets.slice(1, axis, axis + 1).reshape([count, 1, 1]), size, cells);
  return along(0, height)
    .matmul(seen)
    .matmul(along(1, width).transpose([0, 2, 1]));
}

/**
 * Computes the weight of each cell for each pixel of an axis, [S, size, cells]. Cells grow to (cells + 1)·⌈size/cells⌉
 * pixels, of which `size` are kept from an offset [S, 1, 1] on; beyond the outer cells' centres cells are mirrored.
 */
function bilinear(offset: Expression, size: number, cells: number): Expression {
  const counting = (n: number) => Float32Array.from({ length: n }, (_, i) => i);
  const grown = (cells + 1) * Math.ceil(size / cells);
  const pixel = offset.floats(
    [1, size, 1],
    counting(size).map((i) => i + 0.5),
  );
  const place = pixel
    .add(offset)
    .mul(cells / grown)
    .add(-0.5);
  const near = (at: readonly number[] | Float32Array) =>
    place
      .number(1)
      .sub(place.sub(place.floats([1, 1, cells], at)).abs())
      .relu();
  const far = 1e6; // no pixel is near
  const mirrored = Array.from(counting(cells), (k) => (k === 1 ? -1 : far));
  const beyond = Array.from(counting(cells), (k) => (k === cells - 2 ? cells : far));
  return sumOf([near(counting(cells)), near(mirrored), near(beyond)]);
}
