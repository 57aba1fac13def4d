import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { div, matmul, reshape, sub, sum, where } from '../onnx/emit.ts';
import { int64 } from '../tensor.ts';
import { baselineOf, baselineParam } from './baseline.ts';
import { defineMethod, type Setting } from './method.ts';

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
  needs: [],
  conventions: ['paper', 'captum'],
  params,
  aux: [],
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
    const mask = g.emit('Cast', [covered(g, boxes!, setting)], { to: 1 });
    const [samples, ...rest] = g.shape(mask) as [number, ...number[]];
    const flat = reshape(g, mask, [samples, rest.reduce((a, b) => a * b)]);
    const drops = matmul(g, sub(g, score, scores), flat);
    return {
      drop: reshape(g, drops, [g.shape(drops)[0]!, ...rest]),
      coverage: reshape(g, sum(g, flat, [0]), [1, ...rest]),
    };
  },
  finish(g, _image, { drop, coverage }) {
    const counted = g.emit('Max', [coverage!, g.scalar(1)]);
    return div(g, drop!, counted);
  },
});

/** Every window as [start, end) per axis, clipped to the image: [K, 6]. */
function windows({ params, inputShape }: Setting<OcclusionParams>) {
  const axes = inputShape.map((length, axis) => {
    const window = Math.min(params.sliding_window_shapes[axis]!, length);
    const stride = params.strides[axis]!;
    if (stride > window && window < length)
      throw new InputError(
        'invalid_parameter',
        `strides[${axis}] is ${stride}, more than the window's ${window}: parts of the image would never be hidden`,
      );
    const count = Math.ceil((length - window) / stride) + 1;
    return Array.from({ length: count }, (_, k) => [k * stride, Math.min(k * stride + window, length)]);
  });
  const [first, second, third] = axes as [number[][], number[][], number[][]];
  const boxes = third.flatMap((c) => second.flatMap((b) => first.map((a) => [...a, ...b, ...c])));
  return int64([boxes.length, 6], boxes.flat());
}

/** Which elements each box covers: bool [K, C, H, W]. */
function covered(g: GraphBuilder, boxes: Value, { inputShape }: Setting<OcclusionParams>): Value {
  const inside = inputShape.map((length, axis) => {
    const shape = [1, 1, 1, 1].with(axis + 1, length);
    const at = g.constant(
      int64(
        shape,
        Array.from({ length }, (_, i) => i),
      ),
    );
    const bound = (column: number) =>
      reshape(g, g.emit('Gather', [boxes, g.ints([column])], { axis: 1 }), [g.shape(boxes)[0]!, 1, 1, 1]);
    return g.emit('And', [
      g.emit('GreaterOrEqual', [at, bound(2 * axis)]),
      g.emit('Less', [at, bound(2 * axis + 1)]),
    ]);
  });
  return inside.reduce((a, b) => g.emit('And', [a, b]));
}
