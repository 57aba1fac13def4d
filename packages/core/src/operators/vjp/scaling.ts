import type { Expression } from '../../onnx/expression.ts';
import { int, ints, real } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor.ts';
import { axisOf } from './normalization.ts';
import { partOf } from './part.ts';
import type { RuleContext, Vjp } from './rule.ts';

// Softmax and the normalisations that only divide by a magnitude, with respect to the data.

/** y·(dy - Σ dy·y) */
export const softmaxVjp: Vjp = (c) => {
  const { y, dy } = c;
  return y.mul(dy.sub(dy.mul(y).sum([axisOf(c)])));
};

/** dy - eʸ·Σ dy */
export const logSoftmaxVjp: Vjp = (c) => c.dy.sub(c.y.exp().mul(c.dy.sum([axisOf(c)])));

/** y = x/n:  dx = (dy - y·Σ dy·y) / n, but dy/n where n is clipped to its floor; the same with n = √(Σx² + ε). */
export const l2NormalizationVjp: Vjp = (c) => {
  const { node, y, dy } = c;
  const axes = ints(node, 'axes')!;
  const floor = real(node, 'floor', 0);
  const inverse = partOf(c, 'inverse');
  const along = dy.mul(y).sum(axes);
  const norm = inverse ?? partOf(c, 'norm') ?? heldLength(c.x(0), axes, floor, real(node, 'epsilon', 0));
  const beyond = () => (inverse ? norm.isLess(1 / floor) : norm.isGreater(floor));
  const d = dy.sub(y.mul(floor > 0 ? along.gate(beyond()) : along));
  return inverse ? d.mul(norm) : d.div(norm);
};

/** Computes √(Σx² + ε), clipped from below at the floor. */
export function heldLength(
  x: Expression,
  axes: readonly number[],
  floor: number,
  epsilon: number,
): Expression {
  const length = x.square().sum(axes).add(epsilon).sqrt();
  return floor > 0 ? length.atLeast(floor) : length;
}

/** y = x·u^-β, u = k + α/n·Σ x² over a window of channels:  dx = dy·u^-β - 2αβ/n · x·Σ dy·x·u^(-β-1) */
export const lrnVjp: Vjp = (c) => {
  const { node, dy } = c;
  const x = c.x(0);
  const size = int(node, 'size', 1);
  const [alpha, beta] = [real(node, 'alpha', 1e-4), real(node, 'beta', 0.75)];
  const u = lrnBase(c);
  const direct = dy.mul(u.pow(-beta));
  const inner = dy.mul(x).mul(u.pow(-beta - 1));
  const cross = x.mul(channelWindow(inner, size, Math.ceil((size - 1) / 2), Math.floor((size - 1) / 2)));
  return direct.add(cross.mul((-2 * alpha * beta) / size));
};

/** Computes u = k + α/n·Σ x² of local response normalisation. */
export function lrnBase({ node, x }: RuleContext): Expression {
  const size = int(node, 'size', 1);
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const squares = channelWindow(x(0).square(), size, before, after);
  return squares.mul(real(node, 'alpha', 1e-4) / size).add(real(node, 'bias', 1));
}

/** Sums over a window of `size` channels: an average pool along the channel axis, times its size. */
function channelWindow(x: Expression, size: number, before: number, after: number): Expression {
  const [rows, channels, ...places] = x.shape as [number, number, ...number[]];
  const pooled = x.reshape([rows, 1, channels, sizeOf(places)]).emit('AveragePool', [], {
    kernel_shape: [size, 1],
    pads: [before, 0, after, 0],
    strides: [1, 1],
    count_include_pad: 1,
  });
  return pooled.mul(size).reshape(x.shape);
}
