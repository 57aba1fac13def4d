import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, equal, mul, reshape, slice, where } from '../../onnx/emit.ts';
import type { DType, TensorData } from '../../tensor.ts';
import { multipliers, salt } from './random.ts';

// `random.ts` as graph code, number for number: uint32 by its operators, products in int64, the rest in float64.

const codes = { float32: 1, int64: 7, float64: 11, uint32: 12 } as const;
const cast = (g: GraphBuilder, a: Value, to: keyof typeof codes): Value =>
  g.emit('Cast', [a], { to: codes[to] });

const scalar = (g: GraphBuilder, dtype: DType, data: TensorData): Value =>
  g.constant({ dtype, shape: [], data });
const uint32 = (g: GraphBuilder, value: number): Value => scalar(g, 'uint32', Uint32Array.of(value));
const int64 = (g: GraphBuilder, value: number): Value => scalar(g, 'int64', BigInt64Array.of(BigInt(value)));
const float64 = (g: GraphBuilder, value: number): Value => g.scalar(value, 'float64');

const xor = (g: GraphBuilder, a: Value, b: Value): Value => g.emit('BitwiseXor', [a, b]);
const folded = (g: GraphBuilder, h: Value, by: number): Value =>
  xor(g, h, g.emit('BitShift', [h, uint32(g, by)], { direction: 'RIGHT' }));
/** h · k modulo 2³²; k is below 2³¹, so that the product fits. */
const times = (g: GraphBuilder, h: Value, k: number): Value =>
  cast(g, mul(g, cast(g, h, 'int64'), int64(g, k)), 'uint32');

const mix = (g: GraphBuilder, h: Value): Value =>
  folded(g, times(g, folded(g, times(g, folded(g, h, 16), multipliers[0]), 15), multipliers[1]), 15);

/** `uniform` of each counter, float64. */
const uniforms = (g: GraphBuilder, seed: number, counters: Value): Value => {
  const bits = mix(g, xor(g, mix(g, cast(g, counters, 'uint32')), uint32(g, salt(seed))));
  return mul(g, add(g, cast(g, bits, 'float64'), float64(g, 0.5)), float64(g, 2 ** -32));
};

/** `normals(seed, count, start)` with `start` a scalar int64 that the graph computes: float32 [count]. */
export function drawnNormals(g: GraphBuilder, seed: number, start: Value, count: number): Value {
  const pairs = Math.floor(count / 2) + 1; // one more, for where the first number is the second of its pair
  const odd = g.emit('Mod', [start, int64(g, 2)]);
  const steps = g.emit('Range', [int64(g, 0), int64(g, 2 * pairs), int64(g, 1)]);
  const drawn = reshape(g, uniforms(g, seed, add(g, g.emit('Sub', [start, odd]), steps)), [pairs, 2]);
  const logarithm = g.emit('Log', [slice(g, drawn, 1, 0, 1)]);
  const radius = g.emit('Sqrt', [mul(g, logarithm, float64(g, -2))]);
  const angle = mul(g, slice(g, drawn, 1, 1, 2), float64(g, 2 * Math.PI));
  const both = [mul(g, radius, g.emit('Cos', [angle])), mul(g, radius, g.emit('Sin', [angle]))];
  const all = reshape(g, cast(g, g.emit('Concat', both, { axis: 1 }), 'float32'), [2 * pairs]);
  return where(g, equal(g, odd, int64(g, 1)), slice(g, all, 0, 1, count + 1), slice(g, all, 0, 0, count));
}
