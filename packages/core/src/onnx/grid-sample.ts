import type { GraphBuilder, Value } from './builder.ts';
import { add, castLike, mul, number, reshape, scale, shift, sub } from './emit.ts';
import { int, type Node, text } from './graph.ts';
import { keep, type Upgraded } from './upgraded.ts';

const int64 = 7;

/**
 * GridSample of images at given places, as what it stands for: elements picked by index, weighted by how near they lie,
 * so that it has a derivative in the image and in the grid. Cubic sampling, reflection and volumes are left as they are.
 */
export function gridSample(g: GraphBuilder, node: Node): Upgraded {
  const [image, grid] = node.inputs as [Value, Value];
  const mode = text(node, 'mode', 'linear');
  const padding = text(node, 'padding_mode', 'zeros');
  const known = g.knows(image) && g.knows(grid) && g.shape(image).length === 4;
  if (!known || !/^(bilinear|linear|nearest)$/.test(mode) || padding === 'reflection') return keep(node);
  const [batch, channels, height, width] = g.shape(image) as [number, number, number, number];
  const [, rows, columns] = g.shape(grid) as [number, number, number];
  const places = rows * columns;
  const aligned = int(node, 'align_corners', 0) === 1;
  const along = (k: 0 | 1, size: number): Axis => {
    const part = g.emit('Gather', [grid, g.ints([k])], { axis: 3 });
    const at = scaled(g, reshape(g, part, [g.shape(grid)[0]!, 1, places]), size, aligned);
    const kept = padding === 'border' ? clipped(g, at, size) : at;
    return { size, points: mode === 'nearest' ? [nearest(g, kept, size)] : neighbours(g, kept, size) };
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

/** An element along one axis: which, within the image, and how much of it; none outside. */
interface Point {
  readonly index: Value;
  readonly weight: Value;
}

/** -1 … 1 to elements: from centre to centre of the outermost, or from edge to edge. */
const scaled = (g: GraphBuilder, at: Value, size: number, aligned: boolean): Value =>
  aligned ? scale(g, shift(g, at, 1), (size - 1) / 2) : shift(g, scale(g, shift(g, at, 1), size / 2), -0.5);

const clipped = (g: GraphBuilder, at: Value, size: number): Value =>
  g.emit('Clip', [at, number(g, 0, at), number(g, size - 1, at)]);

function inside(g: GraphBuilder, at: Value, size: number): Value {
  const low = g.emit('GreaterOrEqual', [at, number(g, 0, at)]);
  const high = g.emit('LessOrEqual', [at, number(g, size - 1, at)]);
  return castLike(g, g.emit('And', [low, high]), at);
}

function nearest(g: GraphBuilder, at: Value, size: number): Point {
  const index = g.emit('Round', [at]);
  return { index: clipped(g, index, size), weight: inside(g, index, size) };
}

/** The two between which a place lies. */
function neighbours(g: GraphBuilder, at: Value, size: number): Point[] {
  const before = g.emit('Floor', [at]);
  const beyond = sub(g, at, before);
  return [
    [before, sub(g, number(g, 1, at), beyond)],
    [shift(g, before, 1), beyond],
  ].map(([index, weight]) => ({
    index: clipped(g, index!, size),
    weight: mul(g, weight!, inside(g, index!, size)),
  }));
}
