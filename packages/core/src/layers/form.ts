import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { flip, reshape, slice, transpose } from '../onnx/emit.ts';

/**
 * The form in which a value holds a feature map: [N, C, h, w], [N, h, w, C], or tokens [N, T, C], [T, N, C] or
 * [N, C, T], with T = prefix + h·w + suffix. The map itself has the orientation of the image.
 */
export interface Form {
  readonly axes: 'CHW' | 'HWC' | 'TC' | 'TNC' | 'CT';
  /** The number of tokens before those of the places. */
  readonly prefix: number;
  /** The number of tokens after those of the places. */
  readonly suffix?: number;
  /** The value's columns are the image's rows. */
  readonly transposed?: true;
  /** Axes of the map, 2 for rows and 3 for columns, along which the value runs opposite to the image. */
  readonly flipped?: readonly number[];
}

/** Whether a value is its map without any change. */
export const isPlain = ({ axes, transposed, flipped }: Form): boolean =>
  axes === 'CHW' && !transposed && !flipped;

/** Permutations from the axes of a value to [N, T, C] and back. */
const turns = { TC: [0, 1, 2], TNC: [1, 0, 2], CT: [0, 2, 1] } as const;

/** Gives the tokens [N, T, C] that a value holds, or the value from tokens: each permutation is its own inverse. */
const tokensOf = (g: GraphBuilder, value: Value, axes: 'TC' | 'TNC' | 'CT'): Value =>
  transpose(g, value, turns[axes]);

/** Gives the map [N, C, h, w] that a value holds. */
export function mapOf(g: GraphBuilder, value: Value, form: Form, shape: readonly number[]): Value {
  const lain = asLain(g, value, form, shape);
  const upright = form.transposed ? transpose(g, lain, [0, 1, 3, 2]) : lain;
  return form.flipped ? flip(g, upright, form.flipped) : upright;
}

/** Gives the map with rows and columns as the value has them. */
function asLain(
  g: GraphBuilder,
  value: Value,
  { axes, prefix, suffix = 0, transposed }: Form,
  shape: readonly number[],
): Value {
  if (axes === 'CHW') return value;
  if (axes === 'HWC') return transpose(g, value, [0, 3, 1, 2]);
  const [channels, height, width] = shape as [number, number, number];
  const tokens = tokensOf(g, value, axes);
  const patches = prefix + suffix > 0 ? slice(g, tokens, 1, prefix, prefix + height * width) : tokens;
  const [rows] = g.shape(tokens);
  const sides = transposed ? [width, height] : [height, width];
  return transpose(g, reshape(g, patches, [rows!, ...sides, channels]), [0, 3, 1, 2]);
}

/** Makes a value like `original` that holds another map; tokens other than the patches stay unchanged. */
export function holding(g: GraphBuilder, map: Value, original: Value, form: Form): Value {
  const unflipped = form.flipped ? flip(g, map, form.flipped) : map;
  const lain = form.transposed ? transpose(g, unflipped, [0, 1, 3, 2]) : unflipped;
  const { axes, prefix, suffix = 0 } = form;
  if (axes === 'CHW') return lain;
  const last = transpose(g, lain, [0, 2, 3, 1]);
  if (axes === 'HWC') return last;
  const [rows, height, width, channels] = g.shape(last) as [number, number, number, number];
  const patches = reshape(g, last, [rows, height * width, channels]);
  if (prefix + suffix === 0) return tokensOf(g, patches, axes);
  const tokens = tokensOf(g, original, axes);
  const batch = g.emit('Shape', [map], { start: 0, end: 1 });
  const beside = (from: number, count: number): Value[] => {
    if (count === 0) return [];
    const some = slice(g, tokens, 1, from, from + count);
    if (g.shape(tokens)[0] === rows) return [some];
    return [g.emit('Expand', [some, g.emit('Concat', [batch, g.ints([count, channels])], { axis: 0 })])];
  };
  const parts = [...beside(0, prefix), patches, ...beside(prefix + height * width, suffix)];
  return tokensOf(g, g.emit('Concat', parts, { axis: 1 }), axes);
}
