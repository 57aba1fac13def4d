import { z } from 'zod';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, matmul, mul, relu, reshape, scale, shift, slice, sub, transpose } from '../../onnx/emit.ts';
import { float32 } from '../../tensor.ts';
import { defineMethod, type Setting, type Values } from '../method.ts';
import { camOutput, camParams } from '../shared/cam.ts';
import { seedParam } from '../shared/noise.ts';
import { uniform } from '../shared/random.ts';
import { replayed } from '../shared/replayed.ts';

const params = z.strictObject({
  normalized: camParams.normalized,
  n_masks: z.int().min(1).default(4000).describe('Random masks'),
  cells: z.int().min(2).default(7).describe('Cells of a mask, across and down'),
  p: z.number().gt(0).max(1).default(0.5).describe('Probability that a cell is seen'),
  seed: seedParam,
});
type RiseParams = z.infer<typeof params>;

/**
 * RISE: the mean of random masks, weighted with the score of the image seen through them.
 *
 *     map = 1/(n·p) Σ_s y_c(M_s ⊙ x) M_s
 *
 * A mask is a grid of cells, each seen with probability p, grown bilinearly to (cells + 1)·cell and cut to the image
 * at a random offset within a cell. The score is the model's probability of the class, or a number as it is where the model gives
 * none, unless another is asked for. `masks`
 * [S, H, W] are replayed instead.
 *
 * @see Petsiuk, Das & Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018
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
  params,
  aux: ['masks'],
  samples({ params: { n_masks: count, cells, p, seed }, height, width }, aux) {
    if (aux.masks) {
      const recorded = replayed(
        { masks: float32([1, height, width], new Float32Array(height * width)) },
        aux,
      );
      return { ...recorded, share: shareOf(aux.masks.shape[0]!) };
    }
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
  },
  rows(g, image, given, setting) {
    const masks = masksOf(g, given, setting);
    const [count, height, width] = g.shape(masks) as [number, number, number];
    const axes = setting.layout === 'NCHW' ? [1, height, width] : [height, width, 1];
    return mul(g, reshape(g, masks, [1, count, ...axes]), image);
  },
  each({ g, scores }, given, setting) {
    const masks = masksOf(g, given, setting);
    const [count, height, width] = g.shape(masks) as [number, number, number];
    const [images] = g.shape(scores) as [number];
    const total = matmul(g, mul(g, scores, given.share!), reshape(g, masks, [count, height * width]));
    return { total: reshape(g, total, [images, height, width]) };
  },
  finish: (g, _, { total }, setting) =>
    camOutput(g, [scale(g, total!, 1 / setting.params.p)], setting, { signed: true }),
});

const shareOf = (count: number) => float32([count], Array<number>(count).fill(1 / count));

/** Masks [S, H, W] as they were recorded, or of cells [S, cells, cells] at offsets [S, 2]. */
function masksOf(g: GraphBuilder, given: Values, { height, width }: Setting<RiseParams>): Value {
  if (given.masks) return given.masks;
  const [count, cells] = g.shape(given.seen!) as [number, number];
  const along = (axis: number, size: number) => {
    const offset = reshape(g, slice(g, given.offsets!, 1, axis, axis + 1), [count, 1, 1]);
    return bilinear(g, offset, size, cells);
  };
  return matmul(g, matmul(g, along(0, height), given.seen!), transpose(g, along(1, width), [0, 2, 1]));
}

/**
 * How much each pixel of an axis takes of each cell, [S, size, cells], when the cells grow to (cells + 1)·⌈size/cells⌉
 * pixels of which `size` are kept from an offset [S, 1, 1] on. Beyond the outer cells' centres the cells are mirrored.
 */
function bilinear(g: GraphBuilder, offset: Value, size: number, cells: number): Value {
  const counting = (n: number) => Float32Array.from({ length: n }, (_, i) => i);
  const grown = (cells + 1) * Math.ceil(size / cells);
  const pixel = add(
    g,
    g.floats(
      [1, size, 1],
      counting(size).map((i) => i + 0.5),
    ),
    offset,
  );
  const place = shift(g, scale(g, pixel, cells / grown), -0.5);
  const near = (at: readonly number[] | Float32Array) =>
    relu(g, sub(g, g.scalar(1), g.emit('Abs', [sub(g, place, g.floats([1, 1, cells], at))])));
  const far = 1e6; // no pixel is near
  const mirrored = Array.from(counting(cells), (k) => (k === 1 ? -1 : far));
  const beyond = Array.from(counting(cells), (k) => (k === cells - 2 ? cells : far));
  return g.emit('Sum', [near(counting(cells)), near(mirrored), near(beyond)]);
}
