import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { array, mul, ones, reshape, scale, zerosLike } from '../onnx/emit.ts';
import { int, ints } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { sizeOf } from '../tensor.ts';
import { type Operators, other, pool } from './operator.ts';
import { rowsWhere } from './rows.ts';
import { globalPoolShape, maxPoolShape, poolShape } from './shape/convolution.ts';
import type { RuleContext } from './vjp/rule.ts';
import { type Window, windowOf } from './window.ts';

// Pooling. A tie of MaxPool goes to the first element of the window, as in PyTorch and ONNX Runtime.

/** Adds each cotangent to the element that its window chose. */
export function maxPoolVjp(c: RuleContext): Value {
  const { g, node, dy } = c;
  if (int(node, 'storage_order', 0) === 1)
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(node.name)} (MaxPool) counts its indices by columns: no derivative rule`,
    );
  const indices = g.demandOutput(node, 1);
  const x = c.shape(0);
  const flat = (v: Value) => g.emit('Reshape', [v, g.ints([-1])]);
  const empty = zerosLike(g, flat(c.x(0)));
  const kernel = ints(node, 'kernel_shape')!;
  const strides = ints(node, 'strides') ?? kernel.map(() => 1);
  const dilations = ints(node, 'dilations') ?? kernel.map(() => 1);
  const overlap = kernel.some((k, i) => (k - 1) * dilations[i]! >= strides[i]!);
  const scattered = g.emit('ScatterElements', [empty, flat(indices), flat(dy)], {
    axis: 0,
    ...(overlap && { reduction: 'add' }),
  });
  return reshape(g, scattered, x);
}

/**
 * Each output spreads its cotangent evenly over its window: a transposed convolution with ones, one channel at a
 * time. Where padding does not count, border windows are smaller and their share larger.
 */
function averagePoolVjp(c: RuleContext): Value {
  const { g, node, dy } = c;
  const x = c.shape(0);
  const out = c.outShape;
  const w = windowOf(node, ints(node, 'kernel_shape')!, x.slice(2));
  const counted = int(node, 'count_include_pad', 0) === 1;
  const counts = windowCounts(w, x.slice(2), out.slice(2), counted);
  const share = counts.reduce((shared, axis, k) => divided(g, shared, axis, k + 2, out.length), dy);
  const folded = reshape(g, share, [out[0]! * out[1]!, 1, ...out.slice(2)]);
  const covered = out
    .slice(2)
    .map((n, i) => (n - 1) * w.strides[i]! + (w.kernel[i]! - 1) * w.dilations[i]! + 1);
  const rest = covered.map((n, i) => x[i + 2]! + w.before[i]! - n);
  const spread = g.emit('ConvTranspose', [folded, ones(g, [1, 1, ...w.kernel], dy)], {
    kernel_shape: w.kernel,
    strides: w.strides,
    dilations: w.dilations,
    pads: [...w.before, ...w.kernel.map(() => 0)],
  });
  const same = rest.every((r) => r === 0);
  const sized = same ? spread : g.emit('Pad', [spread, g.ints([0, 0, ...rest.map(() => 0), 0, 0, ...rest])]);
  return reshape(g, sized, x);
}

/** Elements that each window averages over, along each spatial axis; their product is what it averages over. */
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

/** `a` over the counts of one axis, which are mostly all the same. */
function divided(g: GraphBuilder, a: Value, counts: readonly number[], axis: number, rank: number): Value {
  if (counts.every((n) => n === counts[0])) return scale(g, a, 1 / counts[0]!);
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? counts.length : 1));
  return mul(
    g,
    a,
    array(
      g,
      shape,
      counts.map((n) => 1 / n),
      a,
    ),
  );
}

/** dy / (h·w) at every position. */
function globalAverageVjp({ g, shape, dy }: RuleContext): Value {
  const spatial = shape(0).slice(2);
  return mul(g, dy, ones(g, [1, 1, ...spatial], dy, 1 / sizeOf(spatial)));
}

/** dy where the maximum is. */
function globalMaxVjp({ g, x, shape, dy }: RuleContext): Value {
  const [n, c, ...spatial] = shape(0) as [number, number, ...number[]];
  const size = sizeOf(spatial);
  const first = g.emit('ArgMax', [reshape(g, x(0), [n, c, size])], { axis: 2, keepdims: 0 });
  const hit = g.emit('OneHot', [first, g.ints([size]), array(g, [2], [0, 1], dy)]);
  return mul(g, dy, reshape(g, hit, shape(0)));
}

const rows = rowsWhere((axis) => axis < 2);

export const pooling = {
  MaxPool: pool({ window: 'lowest', rows, shape: maxPoolShape, vjp: [maxPoolVjp] }),
  AveragePool: pool({
    // windows that begin in the padding behind are counted otherwise from 19 on
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
