import { InputError } from '../errors.ts';
import type { Expression } from '../onnx/expression.ts';
import { int, ints } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { sizeOf } from '../tensor.ts';
import { type Operators, other, pool } from './operator.ts';
import { rowsWhere } from './rows.ts';
import { globalPoolShape, maxPoolShape, poolShape } from './shape/convolution.ts';
import type { RuleContext, Vjp } from './vjp/rule.ts';
import { type Window, windowOf } from './window.ts';

// Pooling. A tie of MaxPool goes to the first element of the window, as in PyTorch and ONNX Runtime.

/** Adds each cotangent to the element that its window chose. */
export const maxPoolVjp: Vjp = (c) => {
  const { node } = c;
  if (int(node, 'storage_order', 0) === 1)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(node.name)} (MaxPool) counts its indices by columns: no derivative rule`,
    );
  const kernel = ints(node, 'kernel_shape')!;
  const strides = ints(node, 'strides') ?? kernel.map(() => 1);
  const dilations = ints(node, 'dilations') ?? kernel.map(() => 1);
  const overlap = kernel.some((k, i) => (k - 1) * dilations[i]! >= strides[i]!);
  return placed(c, overlap ? { reduction: 'add' } : {});
};

/** Places each cotangent at the element that its window chose. */
export function placed(c: RuleContext, reduction: { reduction?: 'add' } = {}): Expression {
  const flat = (v: Expression) => v.emit('Reshape', [v.ints([-1])]);
  const indices = c.output(1);
  return flat(c.x(0))
    .zerosLike()
    .emit('ScatterElements', [flat(indices), flat(c.dy)], { axis: 0, ...reduction })
    .reshape(c.x(0).shape);
}

/**
 * Spreads each output's cotangent evenly over its window: a transposed convolution with ones, one channel at a time.
 * If padding does not count, border windows are smaller and their share is larger.
 */
const averagePoolVjp: Vjp = (c) => {
  const { node, dy } = c;
  const x = c.x(0).shape;
  const out = c.y.shape;
  const w = windowOf(node, ints(node, 'kernel_shape')!, x.slice(2));
  const counted = int(node, 'count_include_pad', 0) === 1;
  const counts = windowCounts(w, x.slice(2), out.slice(2), counted);
  const share = counts.reduce((shared, axis, k) => divided(shared, axis, k + 2, out.length), dy);
  const folded = share.reshape([out[0]! * out[1]!, 1, ...out.slice(2)]);
  const covered = out
    .slice(2)
    .map((n, i) => (n - 1) * w.strides[i]! + (w.kernel[i]! - 1) * w.dilations[i]! + 1);
  const rest = covered.map((n, i) => x[i + 2]! + w.before[i]! - n);
  const spread = folded.emit('ConvTranspose', [dy.full([1, 1, ...w.kernel], 1)], {
    kernel_shape: w.kernel,
    strides: w.strides,
    dilations: w.dilations,
    pads: [...w.before, ...w.kernel.map(() => 0)],
  });
  const same = rest.every((r) => r === 0);
  const sized = same ? spread : spread.pad([0, 0, ...rest.map(() => 0), 0, 0, ...rest]);
  return sized.reshape(x);
};

/** Counts the elements that each window averages, along each spatial axis; the product of these counts is the total. */
const windowCounts = (
  w: Window,
  size: readonly number[],
  out: readonly number[],
  counted: boolean,
): number[][] =>
  out.map((n, axis) =>
    Array.from({ length: n }, (_, o) => {
      const start = o * w.strides[axis]! - w.before[axis]!;
      const low = counted ? -w.before[axis]! : 0;
      const high = size[axis]! + (counted ? w.after[axis]! : 0);
      return Array.from({ length: w.kernel[axis]! }, (_, k) => start + k * w.dilations[axis]!).filter(
        (p) => p >= low && p < high,
      ).length;
    }),
  );

/** Divides `a` by the counts of one axis, which are mostly all the same. */
function divided(a: Expression, counts: readonly number[], axis: number, rank: number): Expression {
  const shares = counts.map((n) => 1 / n);
  if (shares.every((share) => share === shares[0])) return a.mul(shares[0]!);
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? counts.length : 1));
  return a.mul(a.array(shape, shares));
}

/** Puts dy / (h·w) at every position. */
const globalAverageVjp: Vjp = ({ x, dy }) => {
  const spatial = x(0).shape.slice(2);
  return dy.mul(dy.full([1, 1, ...spatial], 1 / sizeOf(spatial)));
};

/** Places dy at the maximum. */
const globalMaxVjp: Vjp = ({ x, dy }) => {
  const { shape } = x(0);
  const [n, c, ...spatial] = shape as [number, number, ...number[]];
  const size = sizeOf(spatial);
  const first = x(0).reshape([n, c, size]).emit('ArgMax', [], { axis: 2, keepdims: 0 });
  const hit = first.emit('OneHot', [first.ints([size]), dy.array([2], [0, 1])]);
  return dy.mul(hit.reshape(shape));
};

const rows = rowsWhere((axis) => axis < 2);

export const pooling = {
  MaxPool: pool({ window: 'lowest', rows, shape: maxPoolShape, vjp: [maxPoolVjp] }),
  AveragePool: pool({
    // from opset 19 on, windows that begin in the padding after the map count otherwise
    since: (node) =>
      int(node, 'ceil_mode', 0) === 1 || (ints(node, 'dilations') ?? []).some((d) => d !== 1) ? null : 18,
    window: 'zero',
    linear: 'jointly',
    rows,
    shape: poolShape,
    vjp: [averagePoolVjp],
  }),
  LpPool: pool({ window: 'zero', rows, shape: poolShape, vjp: null }),
  GlobalAveragePool: pool({
    window: null,
    linear: 'jointly',
    rows,
    shape: globalPoolShape,
    vjp: [globalAverageVjp],
  }),
  GlobalMaxPool: pool({ window: null, rows, shape: globalPoolShape, vjp: [globalMaxVjp] }),
  GlobalLpPool: pool({ window: null, rows, shape: globalPoolShape, vjp: null }),
  MaxUnpool: other(),
  MaxRoiPool: other(),
  RoiAlign: other(),
} satisfies Operators;
