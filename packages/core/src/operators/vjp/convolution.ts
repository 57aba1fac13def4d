import type { Expression } from '../../onnx/expression.ts';
import { int } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { transposedWindow, type Window, windowOf } from '../window.ts';
import { constant } from './movement.ts';
import { type RuleContext, tabled, type Vjp } from './rule.ts';

// Convolutions, with respect to the data (weights are constants here).

const zeros = (n: number): number[] => Array<number>(n).fill(0);

/**
 * For stride 1: the convolution of dy with the kernel turned by 180° and its channels swapped, padded to full overlap.
 * For other strides: a sub-pixel convolution for an image under a large kernel, else ConvTranspose, whose output is
 * padded to the input's size if the windows did not reach its end.
 */
export const convVjp: Vjp = (c) => {
  const { node, dy } = c;
  const [x, weight] = [c.x(0).shape, c.x(1).shape];
  const w = windowOf(node, weight.slice(2), x.slice(2));
  const subpixels = isImageUnderLargeKernel(c, w) && subpixelConv(c, w);
  if (subpixels) return subpixels;
  const reach = w.kernel.map((k, i) => (k - 1) * w.dilations[i]!);
  const begin = reach.map((r, i) => r - w.before[i]!);
  const end = reach.map((r, i) => r - w.after[i]!);
  const group = int(node, 'group', 1);
  const common = { dilations: w.dilations, group, kernel_shape: w.kernel };
  if (w.strides.every((s) => s === 1) && [...begin, ...end].every((p) => p >= 0))
    return dy.emit('Conv', [turned(c.x(1), group)], {
      ...common,
      pads: [...begin, ...end],
      strides: w.strides,
    });

  const covered = c.y.shape.slice(2).map((n, i) => (n - 1) * w.strides[i]! + reach[i]! + 1);
  const rest = covered.map((n, i) => x[i + 2]! + w.before[i]! + w.after[i]! - n);
  const fits = rest.every((r, i) => r < Math.max(w.strides[i]!, w.dilations[i]!));
  const full = dy.emit('ConvTranspose', [c.x(1)], {
    ...common,
    strides: w.strides,
    pads: [...w.before, ...w.after],
    output_padding: fits ? rest : zeros(rest.length),
  });
  return fits ? full : full.pad([0, 0, ...zeros(rest.length), 0, 0, ...rest]);
};

/**
 * Tells whether a sub-pixel convolution is faster: in the first layer of a network. ConvTranspose adds up the products
 * of each kernel element separately, which takes long if the elements are many and their products have few terms.
 */
const isImageUnderLargeKernel = (c: RuleContext, { kernel, strides, dilations }: Window): boolean =>
  kernel.length === 2 &&
  int(c.node, 'group', 1) === 1 &&
  c.x(1).shape[1]! <= 4 &&
  strides.every((s, i) => s > 1 && s === strides[0] && kernel[i]! > 2 * s) &&
  dilations.every((d) => d === 1);

/**
 * Pixels with the same position modulo the stride s use the same kernel elements, at most ⌈k/s⌉ along an axis: one
 * convolution of stride 1 computes all s² kinds of pixels as channels, and DepthToSpace puts them in place.
 *
 *     dx[s·m + p] = Σ_u K_p[u] dy[m + lead - u],   K_p[u] = kernel[s·u + p - front]
 */
function subpixelConv(c: RuleContext, w: Window): Expression | undefined {
  const [size, [outer, channels]] = [c.x(0).shape.slice(2), c.x(1).shape as [number, number]];
  const s = w.strides[0]!;
  const front = w.before.map((before) => (s - (before % s)) % s);
  const lead = w.before.map((before, i) => (before + front[i]!) / s);
  const taps = w.kernel.map((k, i) => Math.ceil((k + front[i]!) / s));
  const cells = size.map((n) => Math.ceil(n / s));
  const pads = [
    ...taps.map((n, i) => n - 1 - lead[i]!),
    ...cells.map((n, i) => n + lead[i]! - c.y.shape[i + 2]!),
  ];
  if (pads.some((p) => p < 0)) return undefined;

  const back = taps.map((n, i) => n * s - w.kernel[i]! - front[i]!);
  const kinds = c
    .x(1)
    .pad([0, 0, ...front, 0, 0, ...back])
    .reshape([outer, channels, taps[0]!, s, taps[1]!, s])
    .transpose([3, 5, 1, 0, 2, 4])
    .reshape([s * s * channels, outer, ...taps]);
  const pixels = c.dy.emit('Conv', [kinds.flip([2, 3])], { kernel_shape: taps, pads });
  const placed = pixels.emit('DepthToSpace', [], { blocksize: s });
  return cells.reduce((dx, n, i) => (n * s === size[i] ? dx : dx.slice(i + 2, 0, size[i]!)), placed);
}

/** [O, I/g, k…] → [I, O/g, k…] with every k reversed. */
function turned(weight: Expression, group: number): Expression {
  const [o, i, ...kernel] = weight.shape as [number, number, ...number[]];
  const spatial = kernel.map((_, axis) => axis + 2);
  const pointwise = kernel.every((k) => k === 1);
  const reversed = pointwise ? weight : weight.flip(spatial);
  if (group === 1) return reversed.transpose([1, 0, ...spatial]);
  if (i === 1 && o === group) return reversed; // depthwise: its own transpose
  return reversed
    .reshape([group, o / group, i, ...kernel])
    .transpose([0, 2, 1, ...spatial.map((axis) => axis + 1)])
    .reshape([group * i, o / group, ...kernel]);
}

/** Applies the convolution, which is the transpose of a transposed convolution. */
export const convTransposeVjp: Vjp = ({ node, x, dy }) => {
  const w = transposedWindow(node, x(1).shape.slice(2), x(0).shape.slice(2));
  return dy.emit('Conv', [x(1)], {
    dilations: w.dilations,
    group: int(node, 'group', 1),
    kernel_shape: w.kernel,
    strides: w.strides,
    pads: [...w.before, ...w.after],
  });
};

/** Cuts out the blocks that were added up, by a convolution with a kernel for each of a block's elements. */
export const col2ImVjp: Vjp = (c) => {
  const { node, dy } = c;
  const [batch, channels, ...size] = c.y.shape as [number, number, ...number[]];
  const w = windowOf(node, constant(c, 2), size);
  const count = sizeOf(w.kernel);
  const each = new Float32Array(tabled(c, count * count));
  for (let i = 0; i < count; i++) each[i * (count + 1)] = 1;
  return dy
    .reshape([batch * channels, 1, ...size])
    .emit('Conv', [dy.array([count, 1, ...w.kernel], each)], {
      kernel_shape: w.kernel,
      strides: w.strides,
      dilations: w.dilations,
      pads: [...w.before, ...w.after],
    })
    .reshape(c.x(0).shape);
};

/** Sums dy per channel: the bias is added to every position of its channel. */
export const perChannelSum: Vjp = ({ y, dy }) =>
  dy.sum(
    [...y.shape.keys()].filter((axis) => axis !== 1),
    false,
  );
