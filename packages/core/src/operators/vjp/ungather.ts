import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { array, matmul, transpose } from '../../onnx/emit.ts';

/**
 * The cotangent of taking `indices` along `axis` out of `size` elements. A contiguous run is padded back, other
 * distinct indices are looked up in a zero-padded copy, repeated ones are added up by a one-hot matrix.
 */
export function ungather(
  g: GraphBuilder,
  dy: Value,
  axis: number,
  indices: readonly number[],
  size: number,
): Value {
  const rank = g.shape(dy).length;
  const first = indices[0] ?? 0;
  if (indices.every((index, k) => index === first + k)) {
    const last = size - first - indices.length;
    return first === 0 && last === 0 ? dy : padAxis(g, dy, axis, first, last);
  }
  const places = new Map(indices.map((index, k) => [index, k]));
  if (places.size === indices.length) {
    const source = Array.from({ length: size }, (_, i) => places.get(i) ?? indices.length);
    return g.emit('Gather', [padAxis(g, dy, axis, 0, 1), g.ints(source)], { axis });
  }
  const oneHot = new Float32Array(indices.length * size);
  indices.forEach((index, k) => {
    oneHot[k * size + index] = 1;
  });
  const last = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const back = last.map((_, i) => last.indexOf(i));
  return transpose(g, matmul(g, transpose(g, dy, last), array(g, [indices.length, size], oneHot, dy)), back);
}

/** `a` with zeros before and after along `axis`; negative numbers cut. */
export const padAxis = (g: GraphBuilder, a: Value, axis: number, before: number, after: number): Value => {
  const pads = Array<number>(2 * g.shape(a).length).fill(0);
  pads[axis] = before;
  pads[axis + pads.length / 2] = after;
  return g.emit('Pad', [a, g.ints(pads)]);
};
