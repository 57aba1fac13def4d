import type { Expression } from '../../onnx/expression.ts';

/**
 * Computes the cotangent of taking `indices` along `axis` out of `size` elements. A contiguous run is padded back,
 * other distinct indices are looked up in a zero-padded copy, repeated indices are added up by a one-hot matrix.
 */
export function ungather(dy: Expression, axis: number, indices: readonly number[], size: number): Expression {
  const rank = dy.shape.length;
  const first = indices[0] ?? 0;
  if (indices.every((index, k) => index === first + k)) {
    const last = size - first - indices.length;
    return first === 0 && last === 0 ? dy : padAxis(dy, axis, first, last);
  }
  const places = new Map(indices.map((index, k) => [index, k]));
  if (places.size === indices.length) {
    const source = Array.from({ length: size }, (_, i) => places.get(i) ?? indices.length);
    return padAxis(dy, axis, 0, 1).gather(dy.ints(source), axis);
  }
  const oneHot = new Float32Array(indices.length * size);
  indices.forEach((index, k) => {
    oneHot[k * size + index] = 1;
  });
  const last = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const back = last.map((_, i) => last.indexOf(i));
  return dy
    .transpose(last)
    .matmul(dy.array([indices.length, size], oneHot))
    .transpose(back);
}

/** Pads `a` with zeros before and after along `axis`; negative numbers cut. */
export const padAxis = (a: Expression, axis: number, before: number, after: number): Expression => {
  const pads = Array<number>(2 * a.shape.length).fill(0);
  pads[axis] = before;
  pads[axis + pads.length / 2] = after;
  return a.pad(pads);
};
