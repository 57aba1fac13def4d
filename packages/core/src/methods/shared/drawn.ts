import { concat, type Expression } from '../../onnx/expression.ts';
import { multipliers, salt } from './random.ts';

// `random.ts` as graph code with exactly the same numbers: uint32 operators, products in int64, the rest in float64.

const uint32 = (like: Expression, value: number): Expression =>
  like.of(like.g.constant({ dtype: 'uint32', shape: [], data: Uint32Array.of(value) }));

const xor = (a: Expression, b: Expression): Expression => a.emit('BitwiseXor', [b]);
const folded = (h: Expression, by: number): Expression =>
  xor(h, h.emit('BitShift', [uint32(h, by)], { direction: 'RIGHT' }));
/** Computes h · k modulo 2³²; k is below 2³¹, so that the product fits into int64. */
const times = (h: Expression, k: number): Expression => h.cast('int64').mul(k).cast('uint32');

const mix = (h: Expression): Expression =>
  folded(times(folded(times(folded(h, 16), multipliers[0]), 15), multipliers[1]), 15);

/** Computes `uniform` of each counter, in float64. */
const uniforms = (seed: number, counters: Expression): Expression => {
  const bits = mix(xor(mix(counters.cast('uint32')), uint32(counters, salt(seed))));
  return bits
    .cast('float64')
    .add(0.5)
    .mul(2 ** -32);
};

/** Computes `normals(seed, count, start)` with `start` a scalar int64 that the graph computes: float32 [count]. */
export function drawnNormals(seed: number, start: Expression, count: number): Expression {
  const pairs = Math.floor(count / 2) + 1; // one more, for where the first number is the second of its pair
  const odd = start.emit('Mod', [2]);
  const steps = start.number(0).emit('Range', [start.number(2 * pairs), start.number(1)]);
  const drawn = uniforms(seed, start.sub(odd).add(steps)).reshape([pairs, 2]);
  const radius = drawn.slice(1, 0, 1).log().mul(-2).sqrt();
  const angle = drawn.slice(1, 1, 2).mul(2 * Math.PI);
  const both = concat([radius.mul(angle.emit('Cos')), radius.mul(angle.emit('Sin'))], 1);
  const all = both.cast('float32').reshape([2 * pairs]);
  return odd.equals(1).where(all.slice(0, 1, count + 1), all.slice(0, 0, count));
}
