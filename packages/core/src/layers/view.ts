import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { sizesOf } from '../operators/picks.ts';
import { isEven, type Line, stepOf } from './coordinates.ts';
import type { Form } from './form.ts';
import type { Places } from './places.ts';

/** Rows and columns of the image, from the first to before the last, that a map covers; they may go beyond it. */
export interface Region {
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

/** The form in which a value holds a map of the image, and the part of the image that the map covers. */
export interface View {
  readonly form: Form;
  /** [channels, height, width] */
  readonly shape: readonly number[];
  /** The part of the image that the map covers, if not all of it. */
  readonly region?: Region;
  /** Its places are not those of the image in order: branches see the image differently, or places were moved. */
  readonly scattered?: true;
}

/** A map counts as covering all of a side of the image if it leaves out at most this share of the side at each end. */
const left = 1 / 16;

/** Finds how a value with these places holds a map; `undefined` if it holds no map, or holds it in no known form. */
export function viewOf(g: GraphBuilder, value: Value, places: Places, image: Value): View | undefined {
  const [sizes, size] = [sizesOf(g, value), sizesOf(g, image)];
  if (!sizes || !size) return undefined;
  const spatial = [1, 2, 3].filter((axis) => places.along[axis]?.some((line) => line !== null));
  /** For each axis of the value, the axes of the image that it runs along. */
  const runs = sizes.map((_, at) => spatial.filter((axis) => places.along[axis]![at]));
  const line = (axis: number | undefined, at: number) =>
    axis === undefined ? null : places.along[axis]![at]!;
  const pattern = runs.map((axes) => axes.length).join('');
  if (spatial.length === 2 && (pattern === '0011' || pattern === '0110')) {
    const at = pattern === '0011' ? 2 : 1;
    const [first, second] = [runs[at]![0]!, runs[at + 1]![0]!];
    return oriented(
      { axes: at === 2 ? 'CHW' : 'HWC', prefix: 0 },
      sizes[at === 2 ? 1 : 3]!,
      { axis: first, line: line(first, at)! },
      { axis: second, line: line(second, at + 1)! },
      places,
      size,
    );
  }
  const at = runs.findIndex((axes) => axes.length > 0);
  if (sizes.length !== 3 || runs.filter((axes) => axes.length > 0).length !== 1 || spatial.length > 2)
    return undefined;
  const axes = formOfTokens(g, value, at, image);
  if (!axes) return undefined;
  const grid = gridOf(runs[at]!.map((axis) => ({ axis, line: line(axis, at)! })));
  if (!grid) return undefined;
  const { prefix, suffix, rows, columns } = grid;
  const form: Form = { axes, prefix, ...(suffix > 0 && { suffix }) };
  return oriented(form, sizes[axes === 'CT' ? 1 : 2]!, rows, columns, places, size);
}

/** Finds which of the three axes, besides the axis of tokens, are images and channels. */
function formOfTokens(g: GraphBuilder, value: Value, at: number, image: Value): Form['axes'] | undefined {
  const [shape, [rows]] = [g.shape(value), g.shape(image)];
  const isRows = (axis: number) => shape[axis] === rows;
  const rest = shape.filter((_, axis) => axis !== at);
  if (rest.every((d) => d !== rows) || rest.some((d) => d < 0 && d !== rows)) return undefined;
  if (at === 0) return isRows(1) ? 'TNC' : undefined;
  return isRows(0) ? (at === 1 ? 'TC' : 'CT') : undefined;
}

/** An axis of the image, and a map's coordinates along it. */
interface Side {
  readonly axis: number;
  readonly line: Line;
}

/** Finds the grid that tokens lie on, row by row, and the tokens before and after it that have no place. */
function gridOf(sides: readonly Side[]) {
  const [one, other] = sides as [Side, Side | undefined];
  const somewhere = one.line.map((c) => !Number.isNaN(c));
  const [prefix, end] = [somewhere.indexOf(true), somewhere.lastIndexOf(true) + 1];
  const inside = (side: Side): Side => ({ ...side, line: side.line.slice(prefix, end) });
  if (prefix < 0 || !somewhere.slice(prefix, end).every(Boolean)) return undefined;
  const suffix = one.line.length - end;
  if (!other) return { prefix, suffix, rows: undefined, columns: inside(one) };
  const [a, b] = [inside(one), inside(other)];
  const runOf = ({ line }: Side) => line.findIndex((c) => Math.abs(c - line[0]!) > 1e-3);
  // The coordinate that changes later is that of the rows.
  const [outer, inner] = runOf(a) > runOf(b) || runOf(b) < 0 ? [a, b] : [b, a];
  const width = runOf(outer) < 0 ? outer.line.length : runOf(outer);
  const height = outer.line.length / width;
  if (!Number.isInteger(height)) return undefined;
  const near = (x: number, y: number) => Math.abs(x - y) < 1e-3;
  const regular = outer.line.every(
    (c, t) =>
      near(c, outer.line[Math.floor(t / width) * width]!) && near(inner.line[t]!, inner.line[t % width]!),
  );
  if (!regular) return undefined;
  return {
    prefix,
    suffix,
    rows: { axis: outer.axis, line: outer.line.filter((_, t) => t % width === 0) },
    columns: { axis: inner.axis, line: inner.line.slice(0, width) },
  };
}

/** Makes the view of a map from its rows and columns as the value has them. */
function oriented(
  form: Form,
  channels: number,
  rows: Side | undefined,
  columns: Side,
  places: Places,
  image: readonly number[],
): View | undefined {
  const transposed = rows !== undefined && rows.axis > columns.axis;
  const [down, across] = transposed ? [columns, rows] : [rows, columns];
  const shape = [channels, down?.line.length ?? 1, across.line.length];
  if (shape[1]! * shape[2]! <= 1) return undefined;
  const backwards = (side: Side | undefined) =>
    side !== undefined && side.line.length > 1 && stepOf(side.line) < 0;
  const flipped = [...(backwards(down) ? [2] : []), ...(backwards(across) ? [3] : [])];
  const scattered = places.mixed || [down, across].some((side) => side && !isEven(side.line, 0.5));
  const [y, x] = [span(down, image), span(across, image)];
  const part = !scattered && (y.part || x.part);
  return {
    form: { ...form, ...(transposed && { transposed }), ...(flipped.length > 0 && { flipped }) },
    shape,
    ...(part && { region: { rows: y.span, columns: x.span } }),
    ...(scattered && { scattered }),
  };
}

/** Gives the span of an axis of the image that a map covers, and whether that is only a part of the axis. */
function span(
  side: Side | undefined,
  image: readonly number[],
): { span: readonly [number, number]; part: boolean } {
  const size = side ? image[side.axis]! : Number.POSITIVE_INFINITY;
  if (!side || side.line.length === 1) return { span: [0, size], part: false };
  const half = Math.abs(stepOf(side.line)) / 2;
  const ends = [side.line[0]!, side.line.at(-1)!].sort((a, b) => a - b) as [number, number];
  const [start, end] = [ends[0] - half, ends[1] + half];
  const part = Math.abs(start) > size * left || Math.abs(end - size) > size * left;
  return { span: part ? [Math.round(start), Math.round(end)] : [0, size], part };
}
