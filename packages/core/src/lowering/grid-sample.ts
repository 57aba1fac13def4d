import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, castLike, mul, number, reshape, scale, shift, sub } from '../onnx/emit.ts';
import { int, type Node, text } from '../onnx/graph.ts';
import { getOwn } from '../own.ts';
import { keep, type Upgraded } from './upgraded.ts';

const int64 = 7;

/**
 * Replaces GridSample of images at given places by its definition: elements taken by index and weighted by nearness, so
 * that it has a derivative in the image and in the grid. GridSamples of volumes are left as they are.
 */
export function gridSample(g: GraphBuilder, node: Node): Upgraded {
  const [image, grid] = node.inputs as [Value, Value];
  const mode = text(node, 'mode', 'linear');
  const padding = text(node, 'padding_mode', 'zeros');
  const tapsAt = getOwn(sampling, mode);
  if (!tapsAt || !g.knows(image) || !g.knows(grid) || g.shape(image).length !== 4) return keep(node);
  const [batch, channels, height, width] = g.shape(image) as [number, number, number, number];
  const [, rows, columns] = g.shape(grid) as [number, number, number];
  const places = rows * columns;
  const aligned = int(node, 'align_corners', 0) === 1;
  const along = (k: 0 | 1, size: number): Axis => {
    const part = g.emit('Gather', [grid, g.ints([k])], { axis: 3 });
    const at = scaled(g, reshape(g, part, [g.shape(grid)[0]!, 1, places]), size, aligned);
    const points = tapsAt(g, at).map(
      ([index, weight]): Point => ({
        index: clipped(g, padding === 'reflection' ? reflected(g, index, size, aligned) : index, size),
        weight: padding === 'zeros' ? mul(g, weight, inside(g, index, size)) : weight,
      }),
    );
    return { size, points };
  };
  const [x, y] = [along(0, width), along(1, height)];

  const pixels = reshape(g, image, [batch, channels, height * width]);
  const size = g.emit('Concat', [g.emit('Shape', [image], { start: 0, end: 2 }), g.ints([places])], {
    axis: 0,
  });
  const parts = y.points.flatMap((row) =>
    x.points.map((column) => {
      const index = g.emit('Cast', [add(g, scale(g, row.index, width), column.index)], { to: int64 });
      const picked = g.emit('GatherElements', [pixels, g.emit('Expand', [index, size])], { axis: 2 });
      return mul(g, picked, mul(g, row.weight, column.weight));
    }),
  );
  const total = parts.length === 1 ? parts[0]! : g.emit('Sum', parts);
  const target = g.emit('Concat', [g.emit('Shape', [image], { start: 0, end: 2 }), g.ints([rows, columns])], {
    axis: 0,
  });
  return keep({ ...node, op: 'Reshape', inputs: [total, target], attributes: {} });
}

interface Axis {
  readonly size: number;
  readonly points: readonly Point[];
}

/** An element along one axis: its index, clipped to the image, and its weight, 0 outside. */
interface Point {
  readonly index: Value;
  readonly weight: Value;
}

/** Maps -1 … 1 to elements: from centre to centre of the outermost elements, or from edge to edge. */
const scaled = (g: GraphBuilder, at: Value, size: number, aligned: boolean): Value =>
  aligned ? scale(g, shift(g, at, 1), (size - 1) / 2) : shift(g, scale(g, shift(g, at, 1), size / 2), -0.5);

const clipped = (g: GraphBuilder, at: Value, size: number): Value =>
  g.emit('Clip', [at, number(g, 0, at), number(g, size - 1, at)]);

function inside(g: GraphBuilder, at: Value, size: number): Value {
  const low = g.emit('GreaterOrEqual', [at, number(g, 0, at)]);
  const high = g.emit('LessOrEqual', [at, number(g, size - 1, at)]);
  return castLike(g, g.emit('And', [low, high]), at);
}

/** Reflects positions beyond the outermost centres, or edges: a triangle wave. */
function reflected(g: GraphBuilder, at: Value, size: number, aligned: boolean): Value {
  const [low, range] = aligned ? [0, size - 1] : [-0.5, size];
  if (range === 0) return at;
  const distance = g.emit('Abs', [shift(g, at, -low)]);
  const periods = g.emit('Floor', [scale(g, distance, 1 / (2 * range))]);
  const within = sub(g, distance, scale(g, periods, 2 * range));
  return sub(g, number(g, low + range, at), g.emit('Abs', [shift(g, within, -range)]));
}

/** An element along one axis, inside or outside the image: its index and weight. */
type Tap = readonly [index: Value, weight: Value];

const nearest = (g: GraphBuilder, at: Value): Tap[] => [[g.emit('Round', [at]), number(g, 1, at)]];

/** Takes the two elements around a place. */
function linear(g: GraphBuilder, at: Value): Tap[] {
  const before = g.emit('Floor', [at]);
  const beyond = sub(g, at, before);
  return [
    [before, sub(g, number(g, 1, at), beyond)],
    [shift(g, before, 1), beyond],
  ];
}

/** Takes two elements on either side, by Keys' cubic convolution with a = -3/4. */
function cubic(g: GraphBuilder, at: Value): Tap[] {
  const before = g.emit('Floor', [at]);
  const beyond = sub(g, at, before);
  const ahead = sub(g, number(g, 1, at), beyond);
  return [
    [shift(g, before, -1), polynomial(g, shift(g, beyond, 1), far)],
    [before, polynomial(g, beyond, near)],
    [shift(g, before, 1), polynomial(g, ahead, near)],
    [shift(g, before, 2), polynomial(g, shift(g, ahead, 1), far)],
  ];
}

/** Keys' weights for a distance of up to 1, and from 1 to 2: coefficients from the highest power down. */
const [near, far] = [
  [1.25, -2.25, 0, 1],
  [-0.75, 3.75, -6, 3],
];

const polynomial = (g: GraphBuilder, x: Value, [first, ...rest]: readonly number[]): Value =>
  rest.reduce((sum, c) => (c === 0 ? mul(g, sum, x) : shift(g, mul(g, sum, x), c)), number(g, first!, x));

const sampling: Readonly<Record<string, (g: GraphBuilder, at: Value) => Tap[]>> = {
  nearest,
  linear,
  bilinear: linear,
  cubic,
  bicubic: cubic,
};
