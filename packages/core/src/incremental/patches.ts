import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, reshape, transpose, where } from '../onnx/emit.ts';
import type { Attributes } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';
import { int64 } from '../tensor.ts';
import type { Extent, Plan, Reading, Step } from './plan.ts';
import { type Reach, type Region, regionOf, sameRegion } from './reach.ts';

// The network over patches. A map is read as rows [h·w, C] of what it is for the clean image, then a row of zeros and
// one of the lowest numbers for what lies outside, then the patches' own; one Gather cuts what a node reads out of all.

/** Which of the boxes each sample has, [samples] each. */
export interface Boxes {
  readonly row: Value;
  readonly column: Value;
}

/** Larger than any index. */
const outside = 2 ** 40;

/** Maps [1, C, h, w] as rows [1, h·w, C]. */
export function asRows(g: GraphBuilder, map: Value): Value {
  const [n, channels, height, width] = g.shape(map) as [number, number, number, number];
  return reshape(g, transpose(g, map, [0, 2, 3, 1]), [n, height * width, channels]);
}

/** Values whose clean maps the steps need, in order. */
export const keptBy = ({ steps, extents }: Plan): Value[] => [
  ...new Set(
    steps.flatMap(({ readings }) =>
      [...readings].filter(([value, reading]) => !isAt(extents.get(value)!, reading)).map(([value]) => value),
    ),
  ),
];

const isAt = ({ rows, columns }: Extent, reading: Reading): boolean =>
  sameRegion(regionOf(rows), reading.rows) && sameRegion(regionOf(columns), reading.columns);

/**
 * The value of `end` for every sample, [samples, …].
 *
 * @param patch what the boxes make of the start, [samples, C, h, w] at the regions of its extent
 * @param clean a map's rows for the clean image, [1, h·w, C]
 */
export function walk(
  g: GraphBuilder,
  { steps, extents }: Plan,
  start: Value,
  patch: Value,
  end: Value,
  boxes: Boxes,
  clean: (value: Value) => Value,
): Value {
  const made = new Map<Value, Value>([[start, patch]]);
  const cut = new Map<string, Value>();
  const read = (value: Value, reading: Reading): Value => {
    const extent = extents.get(value)!;
    if (isAt(extent, reading)) return made.get(value)!;
    const key = JSON.stringify([value, reading]);
    const known =
      cut.get(key) ?? gathered(g, { clean: clean(value), patch: made.get(value)! }, extent, reading, boxes);
    cut.set(key, known);
    return known;
  };
  for (const step of steps) {
    const { node, readings } = step;
    const inputs = node.inputs.map((input) => {
      const reading = readings.get(input);
      return reading ? read(input, reading) : (made.get(input) ?? input);
    });
    const outputs = g.copy({ ...node, attributes: attributesOf(step) }, inputs, node.outputs.length);
    for (const [i, output] of node.outputs.entries()) made.set(output, outputs[i]!);
  }
  return made.get(end)!;
}

/** A window over a patch needs no padding: what it sees was cut out with it. */
function attributesOf({ node, extent }: Step): Attributes {
  if (!extent || operators[node.op].window === null) return node.attributes;
  const { auto_pad: _, pads: __, ceil_mode: ___, ...attributes } = node.attributes;
  return attributes;
}

interface Source {
  /** [1, h·w, C] */
  readonly clean: Value;
  /** [samples, C, h', w'] */
  readonly patch: Value;
}

/** What is read of a map whose regions are patched: [samples, C, h'', w'']. */
function gathered(
  g: GraphBuilder,
  { clean, patch }: Source,
  extent: Extent,
  reading: Reading,
  boxes: Boxes,
): Value {
  const [, size, channels] = g.shape(clean) as [number, number, number];
  const [samples, , height, width] = g.shape(patch) as [number, number, number, number];
  const low = g.floats([1, channels], new Float32Array(channels).fill(-3.4028234663852886e38));
  const zero = g.floats([1, channels], new Float32Array(channels));
  const patches = reshape(g, transpose(g, patch, [0, 2, 3, 1]), [samples * height * width, channels]);
  const all = g.emit('Concat', [reshape(g, clean, [size, channels]), zero, low, patches], { axis: 0 });

  const [rows, columns] = [regionOf(extent.rows), regionOf(extent.columns)];
  const { length: across } = extent.columns;
  const cleanAt = grid(
    g,
    table(g, reading.rows, boxes.row, (_, y) => (y >= 0 && y < extent.rows.length ? y * across : outside)),
    table(g, reading.columns, boxes.column, (_, x) => (x >= 0 && x < across ? x : outside)),
  );
  const own = size + 2;
  const patchAt = grid(
    g,
    table(g, reading.rows, boxes.row, (k, y) => within(y - rows.starts[k]!, height, width)),
    table(g, reading.columns, boxes.column, (k, x) => within(x - columns.starts[k]!, width, 1)),
  );
  const number = g.emit('Range', [
    scalar(g, 0),
    g.emit('Squeeze', [g.emit('Shape', [boxes.row])]),
    scalar(g, 1),
  ]);
  const first = add(g, g.emit('Mul', [number, scalar(g, height * width)]), scalar(g, own));
  const at = where(
    g,
    g.emit('Less', [patchAt, scalar(g, outside)]),
    add(g, patchAt, reshape(g, first, [samples, 1, 1])),
    g.emit('Min', [cleanAt, scalar(g, reading.filler === 'zero' ? size : size + 1)]),
  );
  return transpose(g, g.emit('Gather', [all, at], { axis: 0 }), [0, 3, 1, 2]);
}

/**
 * What the boxes make of an image: `base` inside, the image elsewhere, at the regions of its extent, [samples, C, h, w].
 *
 * @param image and `base`: rows [1, h·w, C]
 */
export function covered(
  g: GraphBuilder,
  image: Value,
  base: Value,
  { rows, columns }: Extent,
  boxes: Boxes,
): Value {
  const [, size, channels] = g.shape(image) as [number, number, number];
  const [down, across] = [regionOf(rows), regionOf(columns)];
  const isIn = ({ spans }: Reach, k: number, i: number) => i >= spans[k]![0] && i < spans[k]![1];
  const seen = grid(
    g,
    table(g, down, boxes.row, (_, y) => y * columns.length),
    table(g, across, boxes.column, (_, x) => x),
  );
  const hidden = grid(
    g,
    table(g, down, boxes.row, (k, y) => (isIn(rows, k, y) ? size + y * columns.length : outside)),
    table(g, across, boxes.column, (k, x) => (isIn(columns, k, x) ? x : outside)),
  );
  const at = where(g, g.emit('Less', [hidden, scalar(g, outside)]), hidden, seen);
  const both = reshape(g, g.emit('Concat', [image, base], { axis: 1 }), [2 * size, channels]);
  return transpose(g, g.emit('Gather', [both, at], { axis: 0 }), [0, 3, 1, 2]);
}

const within = (i: number, size: number, step: number): number => (i >= 0 && i < size ? i * step : outside);

const scalar = (g: GraphBuilder, value: number): Value => g.constant(int64([], [value]));

/** A number for each position that is read, by box: [samples, positions]. */
export function table(
  g: GraphBuilder,
  { size, starts }: Region,
  box: Value,
  of: (k: number, position: number) => number,
): Value {
  const values = starts.flatMap((start, k) => Array.from({ length: size }, (_, j) => of(k, start + j)));
  return g.emit('Gather', [g.constant(int64([starts.length, size], values)), box], { axis: 0 });
}

/** [samples, h], [samples, w] → their sums [samples, h, w]. */
export function grid(g: GraphBuilder, rows: Value, columns: Value): Value {
  return add(g, g.emit('Unsqueeze', [rows, g.ints([2])]), g.emit('Unsqueeze', [columns, g.ints([1])]));
}
