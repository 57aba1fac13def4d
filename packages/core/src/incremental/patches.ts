import type { Value } from '../onnx/builder.ts';
import { concat, type Expression } from '../onnx/expression.ts';
import { type Attributes, usesOf } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';
import { int64 } from '../tensor.ts';
import type { Extent, Plan, Reading, Step } from './plan.ts';
import { type Reach, type Region, regionOf, sameRegion } from './reach.ts';

// Runs the network over patches. A map is read as rows [h·w, C] of its values for the clean image, then a row of zeros
// and a row of the lowest numbers for positions outside, then rows of patches; one Gather takes what a node reads.

/** The indices of the box of each sample, [samples] each. */
export interface Boxes {
  readonly row: Expression;
  readonly column: Expression;
}

/** A number larger than any index. */
const outside = 2 ** 40;

/** Converts maps [1, C, h, w] to rows [1, h·w, C]. */
export function asRows(map: Expression): Expression {
  const [n, channels, height, width] = map.shape as [number, number, number, number];
  return map.transpose([0, 2, 3, 1]).reshape([n, height * width, channels]);
}

/** Lists the values whose clean maps the steps need, in order. */
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
 * Computes `end` for every sample, [samples, …]; `undefined` if a node cannot be copied, because it contains the number
 * of rows of the single clean image.
 *
 * @param patch the start as the boxes change it, [samples, C, h, w] at the regions of its extent
 * @param network any value of the graph that contains the nodes of the steps
 * @param clean gives a map's rows for the clean image, [1, h·w, C]
 */
export function walk(
  { steps, extents }: Plan,
  start: Value,
  patch: Expression,
  end: Value,
  boxes: Boxes,
  network: Expression,
  clean: (value: Value) => Expression,
): Expression | undefined {
  const { g } = patch;
  const [samples] = patch.shape;
  const made = new Map<Value, Expression>([[start, patch]]);
  const cut = new Map<string, Expression>();
  const read = (value: Value, reading: Reading): Expression => {
    const extent = extents.get(value)!;
    if (isAt(extent, reading)) return made.get(value)!;
    const key = JSON.stringify([value, reading]);
    const known =
      cut.get(key) ?? gathered({ clean: clean(value), patch: made.get(value)! }, extent, reading, boxes);
    cut.set(key, known);
    return known;
  };
  const here = (value: Value) => (value === '' ? '' : g.capture(network.g, value));
  for (const step of steps) {
    const { node, readings } = step;
    const inputs = node.inputs.map((input) => {
      const reading = readings.get(input);
      return (reading ? read(input, reading) : made.get(input))?.name ?? here(input);
    });
    for (const value of usesOf(node)) if (network.g.constants.has(value)) here(value);
    const outputs = g.copy({ ...node, attributes: attributesOf(step) }, inputs, node.outputs.length);
    // Checked immediately: the next copy may not fit a value with another number of rows.
    if (outputs.some((output) => !g.type(output) || g.shape(output)[0] !== samples)) return undefined;
    for (const [i, output] of node.outputs.entries()) made.set(output, patch.of(outputs[i]!));
  }
  return made.get(end);
}

/** Drops the padding of a window: it reads a patch that was cut out with all that the window sees. */
function attributesOf({ node, extent }: Step): Attributes {
  if (!extent || operators[node.op].window === null) return node.attributes;
  const { auto_pad: _, pads: __, ceil_mode: ___, ...attributes } = node.attributes;
  return attributes;
}

interface Source {
  /** [1, h·w, C] */
  readonly clean: Expression;
  /** [samples, C, h', w'] */
  readonly patch: Expression;
}

/** Gathers what is read of a map whose regions are patched: [samples, C, h'', w'']. */
function gathered({ clean, patch }: Source, extent: Extent, reading: Reading, boxes: Boxes): Expression {
  const [, size, channels] = clean.shape as [number, number, number];
  const [samples, , height, width] = patch.shape as [number, number, number, number];
  const low = clean.floats([1, channels], new Float32Array(channels).fill(-3.4028234663852886e38));
  const zero = clean.floats([1, channels], new Float32Array(channels));
  const patches = patch.transpose([0, 2, 3, 1]).reshape([samples * height * width, channels]);
  const all = concat([clean.reshape([size, channels]), zero, low, patches], 0);

  const [rows, columns] = [regionOf(extent.rows), regionOf(extent.columns)];
  const { length: across } = extent.columns;
  const cleanAt = grid(
    table(reading.rows, boxes.row, (_, y) => (y >= 0 && y < extent.rows.length ? y * across : outside)),
    table(reading.columns, boxes.column, (_, x) => (x >= 0 && x < across ? x : outside)),
  );
  const own = size + 2;
  const patchAt = grid(
    table(reading.rows, boxes.row, (k, y) => within(y - rows.starts[k]!, height, width)),
    table(reading.columns, boxes.column, (k, x) => within(x - columns.starts[k]!, width, 1)),
  );
  const count = boxes.row.emit('Shape').emit('Squeeze');
  const number = count.number(0).emit('Range', [count, count.number(1)]);
  const first = number
    .mul(height * width)
    .add(own)
    .reshape([samples, 1, 1]);
  const filler = reading.filler === 'zero' ? size : size + 1;
  const at = patchAt.isLess(outside).where(patchAt.add(first), cleanAt.atMost(filler));
  return all.gather(at, 0).transpose([0, 3, 1, 2]);
}

/**
 * Covers an image with boxes: `base` inside, the image elsewhere, at the regions of its extent, [samples, C, h, w].
 *
 * @param image rows [1, h·w, C], like `base`
 */
export function covered(
  image: Expression,
  base: Expression,
  { rows, columns }: Extent,
  boxes: Boxes,
): Expression {
  const [, size, channels] = image.shape as [number, number, number];
  const [down, across] = [regionOf(rows), regionOf(columns)];
  const isIn = ({ spans }: Reach, k: number, i: number) => i >= spans[k]![0] && i < spans[k]![1];
  const seen = grid(
    table(down, boxes.row, (_, y) => y * columns.length),
    table(across, boxes.column, (_, x) => x),
  );
  const hidden = grid(
    table(down, boxes.row, (k, y) => (isIn(rows, k, y) ? size + y * columns.length : outside)),
    table(across, boxes.column, (k, x) => (isIn(columns, k, x) ? x : outside)),
  );
  const at = hidden.isLess(outside).where(hidden, seen);
  const both = concat([image, base], 1).reshape([2 * size, channels]);
  return both.gather(at, 0).transpose([0, 3, 1, 2]);
}

const within = (i: number, size: number, step: number): number => (i >= 0 && i < size ? i * step : outside);

/** Makes a number for each position that is read, by box: [samples, positions]. */
export function table(
  { size, starts }: Region,
  box: Expression,
  of: (k: number, position: number) => number,
): Expression {
  const values = starts.flatMap((start, k) => Array.from({ length: size }, (_, j) => of(k, start + j)));
  return box.of(box.g.constant(int64([starts.length, size], values))).gather(box, 0);
}

/** Adds [samples, h] and [samples, w] to [samples, h, w]. */
export const grid = (rows: Expression, columns: Expression): Expression =>
  rows.unsqueeze(2).add(columns.unsqueeze(1));
