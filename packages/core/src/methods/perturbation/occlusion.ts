import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Span } from '../../incremental/reach.ts';
import type { Expression } from '../../onnx/expression.ts';
import { int64 } from '../../tensor.ts';
import { defineMethod, type Setting } from '../method.ts';
import { baselineParam } from '../shared/baseline.ts';
import { boxesHider, type HiddenBoxes } from './hidden-boxes.ts';

const size = z.int().min(1);
const parameters = z.strictObject({
  sliding_window_shapes: z
    .array(size)
    .length(3)
    .default([3, 15, 15])
    .describe('The window: channels, height, width (height, width, channels for NHWC)'),
  strides: z.array(size).length(3).default([3, 8, 8]).describe('Steps of the window along each axis'),
  baseline: baselineParam,
});
type OcclusionParams = z.infer<typeof parameters>;

/**
 * Occlusion: a window slides over the image and hides the part under it; each value gets the mean drop of the
 * score over the windows that cover it.
 *
 *     attribution_i = Σ_{k covers i} (y_c(x) - y_c(x hidden by window k)) / #{k covers i}        [N, C, H, W]
 *
 * Windows start at multiples of the stride and are cut at the border; there are ⌈(size - window)/stride⌉ + 1 of
 * them along an axis. Forward passes only: works for every model that runs.
 *
 * @see Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014; windows as in Captum
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'occlusion', parameters: { sliding_window_shapes: [2, 3, 3], strides: [1, 2, 2] } },
 *   runtime,
 * )
 */
export const occlusion = defineMethod<OcclusionParams>({
  id: 'occlusion',
  title: 'Occlusion',
  summary: 'How far the score drops when a sliding window hides part of the image.',
  paper: 'https://arxiv.org/abs/1311.2901',
  version: '1',
  kind: 'pixels',
  axioms: ['linearity', 'implementation invariance'],
  needs: [],
  conventions: ['paper', 'captum'],
  deviations: {
    captum: 'Windows are cut at the border, and each element has the mean over the windows that cover it.',
  },
  parameters,
  sampled: true,
  explain(subject, setting) {
    const { score, over } = subject;
    const hidden = boxesHider(subject, setting, boxesOf(setting));
    const { drop, coverage } = over({ boxes: windows(setting) }, ({ boxes }) => {
      const [a, b, c] = setting.inputShape.map((length, axis) =>
        inside(boxes, axis, length).cast('float32'),
      ) as [Expression, Expression, Expression];
      const [first, second] = setting.inputShape as [number, number];
      // A window's mask is the product of three vectors, a ⊗ b ⊗ c: no mask is as large as the image.
      const planes = a
        .unsqueeze(2)
        .mul(b.unsqueeze(1))
        .reshape([boxes.shape[0]!, first * second]);
      const summed = (shares: Expression) =>
        planes
          .transpose([1, 0])
          .mul(shares)
          .matmul(c)
          .reshape([1, ...setting.inputShape]);
      const scores = hidden({ boxes }, () => covered(boxes, setting)).score.reshape([1, boxes.shape[0]!]);
      return { drop: summed(score.sub(scores)), coverage: summed(scores.onesLike()) };
    });
    return drop.div(coverage.atLeast(1));
  },
});

/** Gives the windows as boxes of rows and columns, if they cover every channel. */
function boxesOf(setting: Setting<OcclusionParams>): HiddenBoxes<'boxes'> | undefined {
  const axes = imageAxes(setting);
  const [channels, rows, columns] = axes.map((axis) => spansOf(setting, axis)) as [Span[], Span[], Span[]];
  if (channels.length > 1) return undefined;
  return {
    rows,
    columns,
    of({ boxes }) {
      const [, row, column] = axes.map((axis) =>
        boxes
          .slice(1, 2 * axis, 2 * axis + 1)
          .reshape([boxes.shape[0]!])
          .div(setting.parameters.strides[axis]!),
      ) as [Expression, Expression, Expression];
      return { row, column };
    },
  };
}

/** Gives the axes of channels, rows and columns. */
const imageAxes = ({ layout }: Setting<OcclusionParams>) => (layout === 'NCHW' ? [0, 1, 2] : [2, 0, 1]);

/** Gives the windows along one axis, clipped to the image. */
function spansOf({ parameters, inputShape }: Setting<OcclusionParams>, axis: number): Span[] {
  const length = inputShape[axis]!;
  const window = Math.min(parameters.sliding_window_shapes[axis]!, length);
  const stride = parameters.strides[axis]!;
  if (stride > window && window < length)
    throw new InputError(
      'invalid_parameter',
      `strides[${axis}] is ${stride}, more than the window's ${window}: parts of the image would never be hidden`,
    );
  const count = Math.ceil((length - window) / stride) + 1;
  return Array.from({ length: count }, (_, k) => [k * stride, Math.min(k * stride + window, length)]);
}

/** Lists every window as [start, end) per axis: [K, 6]. */
function windows(setting: Setting<OcclusionParams>) {
  const [first, second, third] = [0, 1, 2].map((axis) => spansOf(setting, axis)) as [Span[], Span[], Span[]];
  const boxes = third.flatMap((c) => second.flatMap((b) => first.map((a) => [...a, ...b, ...c])));
  return int64([boxes.length, 6], boxes.flat());
}

/** Whether each box covers each position along one axis: bool [K, length]. */
function inside(boxes: Expression, axis: number, length: number): Expression {
  const positions = Array.from({ length }, (_, i) => i);
  const at = boxes.ints(positions).unsqueeze(0);
  const edge = (column: number) => boxes.slice(1, column, column + 1);
  return at.isAtLeast(edge(2 * axis)).and(at.isLess(edge(2 * axis + 1)));
}

/** Whether each box covers each element: bool [K, C, H, W]. */
function covered(boxes: Expression, { inputShape }: Setting<OcclusionParams>): Expression {
  const masks = inputShape.map((length, axis) =>
    inside(boxes, axis, length).reshape([boxes.shape[0]!, ...[1, 1, 1].with(axis, length)]),
  );
  return masks.reduce((a, b) => a.and(b));
}
