import { between } from '../autodiff/path.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';
import { sizesOf } from '../operators/picks.ts';
import { operators } from '../operators/table.ts';
import { padsWindows, type Way, wayOf } from './axes.ts';
import { type Line, type Lines, meanOf, picked, reshapedLines, respaced, varietyOf } from './coordinates.ts';
import { regrouped } from './regroup.ts';
import { chosen, type Part } from './said-places.ts';

/** The places in the image of the elements of a value. */
export interface Places {
  /** For each axis of the image, including the batch: a line per axis of the value; `null` if nothing is known. */
  readonly along: readonly (Lines | null)[];
  /** Whether elements of different places of the image were combined: an image added to its flipped copy. */
  readonly mixed: boolean;
}

export type PlacesOf = ReadonlyMap<Value, Places>;

/** Finds where in the image the elements of each value on the way to the scores lie, as far as that is known. */
export function placesIn({ g, image, logits }: Pick<Network, 'g' | 'image' | 'logits'>): PlacesOf {
  const size = sizesOf(g, image)!;
  const places = new Map<Value, Places>();
  places.set(image, {
    along: size.map((n, axis) =>
      size.map((_, a) => (a === axis ? Array.from({ length: n }, (_, i) => i + 0.5) : null)),
    ),
    mixed: false,
  });
  for (const node of between(g, [image], [logits]).nodes)
    node.outputs.forEach((output, k) => {
      const found = output === '' ? undefined : placesOf(g, node, k, places, size);
      if (found) places.set(output, found);
    });
  return places;
}

/** The places of an output according to one of its inputs. */
interface Said {
  readonly places: Places;
  readonly along: readonly (Lines | null)[];
  readonly way: Way;
}

function placesOf(
  g: GraphBuilder,
  node: Node,
  k: number,
  known: PlacesOf,
  image: readonly number[],
): Places | undefined {
  const to = sizesOf(g, node.outputs[k]!);
  if (!to) return undefined;
  const said = node.inputs.flatMap((input, i): Said[] => {
    const places = known.get(input);
    const way = places && wayOf(g, node, i, k);
    if (!way) return [];
    const from = sizesOf(g, input)!;
    const along = places.along.map((lines) => lines && brought(g, node, lines, way, from, to));
    return [{ places, along, way }];
  });
  const joined = said[0]?.way.kind === 'joins' ? said[0].way.axis : undefined;
  const parts = image.map((size, axis) =>
    joined === undefined
      ? chosen(
          said.map(({ along }) => along[axis]!),
          size,
          operators[node.op].elementwise,
        )
      : concatenated(g, node, joined, known, axis, size),
  );
  const along = parts.map(({ lines }) => lines);
  const mixed = said.some(({ places }) => places.mixed) || parts.slice(1).some((part) => part.mixed);
  // A single place counts as no place: the value was averaged over all of the image.
  const places = along.slice(1).some((lines) => lines?.some((line) => varietyOf(line) > 1));
  return places ? { along, mixed } : undefined;
}

/** Converts an input's lines to the axes of the output. */
function brought(
  g: GraphBuilder,
  node: Node,
  lines: Lines,
  way: Way,
  from: readonly number[],
  to: readonly number[],
): Lines | null {
  const made = moved(g, node, lines, way, from, to);
  return made?.some((line) => line !== null) ? made : null;
}

function moved(
  g: GraphBuilder,
  node: Node,
  lines: Lines,
  way: Way,
  from: readonly number[],
  to: readonly number[],
): Lines | undefined {
  switch (way.kind) {
    case 'axes':
      return onAxes(lines, way.axes, from, to);
    case 'view':
      return regrouped(lines, from, to, reshapedLines);
    case 'window':
      return lines.map((line, axis) => (axis === 1 || !line ? null : respaced(line, to[axis]!)));
    case 'joins':
      return lines;
    case 'picks': {
      const before = [...Array<null>(way.picks.length - lines.length).fill(null), ...lines];
      const inWindows = node.op === 'Pad' && padsWindows(g, node);
      const after = way.picks.map((indices, axis) => {
        const line = before[axis]!;
        if (!line || !indices) return line;
        return inWindows ? respaced(line, indices.length) : picked(line, indices, node.op === 'Pad');
      });
      const sizes = way.picks.map(
        (indices, axis) => indices?.length ?? from[axis - way.picks.length + from.length]!,
      );
      return regrouped(after, sizes, to, reshapedLines);
    }
  }
}

/** Keeps lines along the axes that remain; the means of the other lines are added to the first that is left. */
function onAxes(
  lines: Lines,
  axes: readonly (number | null)[],
  from: readonly number[],
  to: readonly number[],
): Lines {
  const made = axes.map((axis, i) => {
    return axis === null || axis < 0 || from[axis] !== to[i] ? null : lines[axis]!;
  });
  const gone = lines.filter((line, axis): line is Line => line !== null && !axes.includes(axis));
  const offset = gone.reduce((sum, line) => sum + meanOf(line), 0);
  const at = made.findIndex((line) => line !== null);
  return offset === 0 ? made : made.map((line, i) => (line && i === at ? line.map((c) => c + offset) : line));
}

/** Concatenates the lines of values along `joined`; values that have no place in the image get NaN. */
function concatenated(
  g: GraphBuilder,
  node: Node,
  joined: number,
  known: PlacesOf,
  imageAxis: number,
  size: number,
): Part {
  const inputs = node.inputs.map((input) => ({
    lines: known.get(input)?.along[imageAxis] ?? null,
    count: sizesOf(g, input)![joined]!,
  }));
  const beside = chosen(
    inputs.map(({ lines }) => lines?.map((line, axis) => (axis === joined ? null : line)) ?? null),
    size,
  );
  const varies = inputs.some(({ lines }) => varietyOf(lines?.[joined]) > (imageAxis === 0 ? 0 : 1));
  const first = inputs.find(({ lines }) => lines)?.lines ?? null;
  if (!first) return { lines: null, mixed: false };
  const rest = beside.lines ?? first.map(() => null);
  if (!varies) return { lines: rest, mixed: beside.mixed };
  const line = inputs.flatMap(({ lines, count }) => lines?.[joined] ?? Array<number>(count).fill(Number.NaN));
  return { lines: rest.map((l, axis) => (axis === joined ? line : l)), mixed: beside.mixed };
}
