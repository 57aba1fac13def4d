import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Span } from '../../incremental/reach.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import {
  div,
  matmul,
  mul,
  onesLike,
  reshape,
  slice,
  sub,
  transpose,
  unsqueeze,
  where,
} from '../../onnx/emit.ts';
import { int64 } from '../../tensor.ts';
import { defineMethod, type Setting } from '../method.ts';
import { baselineOf, baselineParam } from '../shared/baseline.ts';
import { incrementally } from './hidden-boxes.ts';

const size = z.int().min(1);
const params = z.strictObject({
  sliding_window_shapes: z
    .array(size)
    .length(3)
    .default([3, 15, 15])
    .describe('The window: channels, height, width (height, width, channels for NHWC)'),
  strides: z.array(size).length(3).default([3, 8, 8]).describe('Steps of the window along each axis'),
  baseline: baselineParam,
});
type OcclusionParams = z.infer<typeof params>;

/**
 * Occlusion: a window slides over the image and hides what is under it; each value is given the mean drop of the
 * score over the windows that cover it.
 *
 *     attribution_i = Σ_{k covers i} (y_c(x) - y_c(x hidden by window k)) / #{k covers i}        [N, C, H, W]
 *
 * Windows start at multiples of the stride and are cut at the border; there are ⌈(size - window)/stride⌉ + 1 of
 * them along an axis. Forward passes only: works for every model that runs.
 *
 * @see Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014; windows as in Captum
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
  oddities: {
    captum: 'Windows are cut at the border, and each element has the mean over the windows that cover it.',
  },
  params,
  aux: [],
  incremental(network, setting) {
    const [channels, rows, columns] = imageAxes(setting).map((axis) => spansOf(setting, axis)) as [
      Span[],
      Span[],
      Span[],
    ];
    if (channels.length > 1) return undefined;
    return incrementally(network, setting, {
      rows,
      columns,
      of(g, { boxes }) {
        const [, row, column] = imageAxes(setting).map((axis) =>
          g.emit('Div', [bound(g, boxes!, 2 * axis), g.constant(int64([], [setting.params.strides[axis]!]))]),
        ) as [Value, Value, Value];
        return { row, column };
      },
    });
  },
  samples: (setting) => ({ boxes: windows(setting) }),
  rows(g, image, { boxes }, setting) {
    const hidden = covered(g, boxes!, setting);
    const [samples, ...rest] = g.shape(hidden) as [number, ...number[]];
    return where(
      g,
      reshape(g, hidden, [1, samples, ...rest]),
      baselineOf(g, image, setting.params.baseline, setting),
      image,
    );
  },
  each({ g, score, scores }, { boxes }, setting) {
    const [a, b, c] = setting.inputShape.map((length, axis) =>
      g.emit('Cast', [inside(g, boxes!, axis, length)], { to: 1 }),
    ) as [Value, Value, Value];
    const [first, second] = setting.inputShape as [number, number];
    // A window's mask is the product of three, a ⊗ b ⊗ c: no mask is as large as the image.
    const samples = g.shape(boxes!)[0]!;
    const planes = reshape(g, mul(g, unsqueeze(g, a, [2]), unsqueeze(g, b, [1])), [samples, first * second]);
    const summed = (shares: Value) => {
      const weighted = mul(g, transpose(g, planes, [1, 0]), unsqueeze(g, shares, [1]));
      return reshape(g, matmul(g, weighted, c), [g.shape(shares)[0]!, ...setting.inputShape]);
    };
    return { drop: summed(sub(g, score, scores)), coverage: summed(onesLike(g, scores)) };
  },
  finish(g, _image, { drop, coverage }) {
    const counted = g.emit('Max', [coverage!, g.scalar(1)]);
    return div(g, drop!, counted);
  },
});

/** The axes of channels, rows and columns. */
const imageAxes = ({ layout }: Setting<OcclusionParams>) => (layout === 'NCHW' ? [0, 1, 2] : [2, 0, 1]);

/** The windows along one axis, clipped to the image. */
function spansOf({ params, inputShape }: Setting<OcclusionParams>, axis: number): Span[] {
  const length = inputShape[axis]!;
  const window = Math.min(params.sliding_window_shapes[axis]!, length);
  const stride = params.strides[axis]!;
  if (stride > window && window < length)
    throw new InputError(
      'invalid_parameter',
      `strides[${axis}] is ${stride}, more than the window's ${window}: parts of the image would never be hidden`,
    );
  const count = Math.ceil((length - window) / stride) + 1;
  return Array.from({ length: count }, (_, k) => [k * stride, Math.min(k * stride + window, length)]);
}

/** Every window as [start, end) per axis: [K, 6]. */
function windows(setting: Setting<OcclusionParams>) {
  const [first, second, third] = [0, 1, 2].map((axis) => spansOf(setting, axis)) as [Span[], Span[], Span[]];
  const boxes = third.flatMap((c) => second.flatMap((b) => first.map((a) => [...a, ...b, ...c])));
  return int64([boxes.length, 6], boxes.flat());
}

const bound = (g: GraphBuilder, boxes: Value, column: number): Value =>
  reshape(g, slice(g, boxes, 1, column, column + 1), [g.shape(boxes)[0]!]);

/** Which positions along one axis each box covers: bool [K, length]. */
function inside(g: GraphBuilder, boxes: Value, axis: number, length: number): Value {
  const positions = Array.from({ length }, (_, i) => i);
  const at = g.constant(int64([1, length], positions));
  const edge = (column: number) => slice(g, boxes, 1, column, column + 1);
  return g.emit('And', [
    g.emit('GreaterOrEqual', [at, edge(2 * axis)]),
    g.emit('Less', [at, edge(2 * axis + 1)]),
  ]);
}

/** Which elements each box covers: bool [K, C, H, W]. */
function covered(g: GraphBuilder, boxes: Value, { inputShape }: Setting<OcclusionParams>): Value {
  const masks = inputShape.map((length, axis) =>
    reshape(g, inside(g, boxes, axis, length), [g.shape(boxes)[0]!, ...[1, 1, 1].with(axis, length)]),
  );
  return masks.reduce((a, b) => g.emit('And', [a, b]));
}
