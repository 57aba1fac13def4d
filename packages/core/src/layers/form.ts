import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { reshape, slice, transpose } from '../onnx/emit.ts';

/** How a value holds a feature map: as [N, C, h, w], as [N, h, w, C], or as tokens [N, prefix + h·w, C]. */
export interface Form {
  readonly axes: 'CHW' | 'HWC' | 'TC';
  /** Tokens before those of the places. */
  readonly prefix: number;
}

/** The map [N, C, h, w] that a value holds. */
export function mapOf(g: GraphBuilder, value: Value, form: Form, shape: readonly number[]): Value {
  if (form.axes === 'CHW') return value;
  if (form.axes === 'HWC') return transpose(g, value, [0, 3, 1, 2]);
  const [channels, height, width] = shape as [number, number, number];
  const patches = form.prefix > 0 ? slice(g, value, 1, form.prefix, form.prefix + height * width) : value;
  const [rows] = g.shape(value);
  return transpose(g, reshape(g, patches, [rows!, height, width, channels]), [0, 3, 1, 2]);
}

/** A value like `original` that holds another map; tokens before the patches stay what they are. */
export function holding(g: GraphBuilder, map: Value, original: Value, form: Form): Value {
  if (form.axes === 'CHW') return map;
  const last = transpose(g, map, [0, 2, 3, 1]);
  if (form.axes === 'HWC') return last;
  const [rows, height, width, channels] = g.shape(last) as [number, number, number, number];
  const patches = reshape(g, last, [rows, height * width, channels]);
  if (form.prefix === 0) return patches;
  const prefix = slice(g, original, 1, 0, form.prefix);
  const batch = g.emit('Shape', [map], { start: 0, end: 1 });
  const size = g.emit('Concat', [batch, g.ints([form.prefix, channels])], { axis: 0 });
  const same = g.shape(original)[0] === rows ? prefix : g.emit('Expand', [prefix, size]);
  return g.emit('Concat', [same, patches], { axis: 1 });
}
