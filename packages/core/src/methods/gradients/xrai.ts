import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Expression } from '../../onnx/expression.ts';
import { float32, type Tensor } from '../../tensor.ts';
import { defineMethod, type Samples, type Setting, type Subject } from '../method.ts';
import { gridOf, gridParam } from '../perturbation/features.ts';
import { camOutput, mapParams } from '../shared/cam.ts';
import { perRow } from '../shared/noise.ts';
import { segmentsOf } from './xrai-segments.ts';

const parameters = z.strictObject({
  ...mapParams,
  n_steps: z
    .int()
    .min(2)
    .max(1000)
    .default(100)
    .describe('Points on the path from each of the two baselines'),
  segments: z
    .enum(['felzenszwalb', 'grid'])
    .default('felzenszwalb')
    .describe('Regions of the photo at six scales, as scikit-image finds them, or cells of the grid'),
  grid: gridParam.default('7x7').describe('segments=grid: rows x columns'),
  min_size: z.int().min(1).default(150).describe('segments=felzenszwalb: pixels that a region has at least'),
  dilation: z
    .int()
    .min(0)
    .max(50)
    .default(5)
    .describe('segments=felzenszwalb: by how many pixels a region grows'),
  min_pixel_diff: z.int().min(1).default(50).describe('Pixels that a region has to add to those before it'),
});
type XraiParams = z.infer<typeof parameters>;

/**
 * XRAI: regions of the image, the one with the densest attribution first.
 *
 *     map(p) = mean of a over the pixels that region r(p) adds to those before it,   a = max_C of integrated gradients        [N, H, W]
 *
 * Integrated gradients are averaged over two baselines, the image's least and greatest value. The region whose new
 * pixels have the greatest mean comes next, until none adds `min_pixel_diff` pixels; the rest has its own mean. Regions
 * overlap: they have six scales, grown by `dilation`. Recorded `segments` [M, H, W] of 0 and 1 replace them. They are
 * found at the size of the network; for sizes other than 224 × 224, PAIR finds them at 224 × 224 and enlarges them.
 *
 * @see Kapishnikov et al., "XRAI: Better Attributions Through Regions", 2019; `XRAI` of PAIR's saliency, its algorithm "full"
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'xrai', parameters: { n_steps: 10, segments: 'grid', grid: '2x3', min_pixel_diff: 1 } },
 *   runtime,
 * )
 */
export const xrai = defineMethod<XraiParams>({
  id: 'xrai',
  title: 'XRAI',
  summary: 'Regions of the photo by how densely integrated gradients lie in them.',
  paper: 'https://arxiv.org/abs/1906.02825',
  version: '1',
  kind: 'map',
  needs: ['gradient'],
  conventions: ['paper'],
  parameters,
  sampled: true,
  aux: ['segments'],
  samplesFrom(setting) {
    const { segments, min_size: least, dilation: radius } = setting.parameters;
    if (segments === 'grid') return undefined;
    return (image) => ({ segments: segmentsOf(image, setting, { least, radius }) });
  },
  explain(subject, setting) {
    const { aux, given, overInTurn } = subject;
    const { height, width } = setting;
    const masks = masksOf(aux, setting);
    const [count, pixels] = [masks.shape[0]!, height * width];
    const regions = given(masks);
    const attribution = densest(subject, setting).reshape([pixels, 1]);
    const none = attribution.zerosLike();
    const { covered, map } = overInTurn(
      { region: perRow(Array<number>(count).fill(1)) },
      { covered: none, taken: regions.matmul(none), map: none },
      (_, { covered, taken, map }) => {
        const isNew = covered!.oneMinus();
        const added = regions.matmul(isNew);
        const isOpen = taken!.isLess(0.5).and(added.isAtLeast(setting.parameters.min_pixel_diff));
        const density = regions.matmul(attribution.mul(isNew)).div(added.atLeast(1));
        const gains = isOpen.where(density, lowest);
        const best = gains.emit('ArgMax', [], { axis: 0, keepdims: 0 });
        const chosen = best.oneHot(count).reshape([count, 1]);
        const gain = gains.max([0]);
        const isAdded = regions.gather(best, 0).reshape([pixels, 1]).mul(isNew).gate(gain.isGreater(lowest));
        return {
          covered: covered!.add(isAdded),
          taken: taken!.add(chosen),
          map: map!.add(isAdded.isGreater(0.5).where(gain, 0)),
        };
      },
    );
    const isLeft = covered!.oneMinus();
    const rest = attribution
      .mul(isLeft)
      .sum([0])
      .div(isLeft.sum([0]).atLeast(1));
    return camOutput([map!.add(isLeft.mul(rest)).reshape([1, height, width])], setting, { signed: true });
  },
});

/** The gain of a region that can no longer be chosen. */
const lowest = -3e38;

/** Computes the maximum over channels of each pixel's integrated gradients, [1, H, W]. */
function densest({ image, at, over }: Subject, setting: Setting<XraiParams>): Expression {
  const { n_steps } = setting.parameters;
  const alphas = Array.from({ length: n_steps }, (_, k) => k / (n_steps - 1));
  const samples = {
    alpha: perRow([...alphas, ...alphas]),
    high: perRow([...alphas.map(() => 0), ...alphas.map(() => 1)]),
    share: perRow(Array<number>(2 * n_steps).fill(1 / (2 * n_steps))),
  };
  const [low, high] = [image.min([1, 2, 3]), image.max([1, 2, 3])];
  const total = over(samples, (chunk) => {
    const way = image.sub(low.add(high.sub(low).mul(chunk.high)));
    const points = image.sub(way.mul(chunk.alpha.oneMinus()));
    return at(points).gradient().mul(way).mul(chunk.share).sum([0]);
  });
  return total.max([setting.layout === 'NCHW' ? 1 : 3], false);
}

/** Gives masks of regions [M, H·W]: recorded masks, or cells of the grid. */
function masksOf(aux: Samples, setting: Setting<XraiParams>): Tensor<'float32'> {
  const { height, width } = setting;
  const recorded = aux.segments;
  if (!recorded) return cells(setting);
  const { shape, data } = recorded;
  if (shape.length !== 3 || shape[1] !== height || shape[2] !== width || shape[0] === 0)
    throw new InputError(
      'invalid_tensor',
      `aux "segments": expected masks [regions, ${height}, ${width}], got [${shape.join(', ')}]`,
    );
  // A photo may have thousands of regions: `Float32Array.from` would first collect their pixels in an array of numbers.
  const values = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) if (Number(data[i]) !== 0) values[i] = 1;
  return float32([shape[0]!, height * width], values);
}

function cells(setting: Setting<XraiParams>): Tensor<'float32'> {
  const { height, width } = setting;
  const [rows, columns] = gridOf(setting);
  const masks = new Float32Array(rows * columns * height * width);
  for (let p = 0; p < height * width; p++) {
    const [y, x] = [Math.floor(p / width), p % width];
    const cell = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
    masks[cell * height * width + p] = 1;
  }
  return float32([rows * columns, height * width], masks);
}
