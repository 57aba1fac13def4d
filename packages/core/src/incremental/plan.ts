import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, ints, type Node, reachable } from '../onnx/graph.ts';
import { rowsOf } from '../operators/row-by-row.ts';
import { operators } from '../operators/table.ts';
import { windowOf } from '../operators/window.ts';
import {
  everything,
  type Reach,
  type Region,
  regionOf,
  type Slide,
  seenBy,
  through,
  united,
} from './reach.ts';

// Finds the part of each map that has to be computed again when the image changes inside boxes.

/** The part of a map [N, C, h, w] that each box reaches. */
export interface Extent {
  readonly rows: Reach;
  readonly columns: Reach;
}

/** Positions of a map that a node reads; outside the map it sees `filler`. */
export interface Reading {
  readonly rows: Region;
  readonly columns: Region;
  readonly filler: 'zero' | 'lowest';
}

/** One node of the network, over patches or over whole maps. */
export interface Step {
  readonly node: Node;
  /** The part of its output that is computed; all of it if `undefined`. */
  readonly extent: Extent | undefined;
  /** The positions that are read of each input that exists as patches. */
  readonly readings: ReadonlyMap<Value, Reading>;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** The extents of values that exist as patches. */
  readonly extents: ReadonlyMap<Value, Extent>;
}

/** Above this share of a map, gathering patches costs more than it saves. */
const most = 0.75;

/** Plans the steps from `start`, which the boxes change within `extent`, to `end`. */
export function plan(g: GraphBuilder, start: Value, extent: Extent, end: Value): Plan {
  const extents = new Map([[start, extent]]);
  const moving = new Set([start]);
  const steps: Step[] = [];
  for (const node of reachable(g.nodes, [end])) {
    if (node.outputs.includes(start) || !node.inputs.some((input) => moving.has(input))) continue;
    for (const output of node.outputs) moving.add(output);
    const step = patched(g, node, moving, extents) ?? whole(node, extents);
    if (step.extent) extents.set(node.outputs[0]!, step.extent);
    steps.push(step);
  }
  return { steps, extents };
}

function patched(
  g: GraphBuilder,
  node: Node,
  moving: ReadonlySet<Value>,
  extents: ReadonlyMap<Value, Extent>,
): Step | undefined {
  const inputs = node.inputs.filter((input) => moving.has(input));
  if (!inputs.every((input) => extents.has(input)) || node.outputs.length > 1) return undefined;
  if (!isMap(g, node.outputs[0]!)) return undefined;
  const slides = slidesOf(g, node, inputs);
  const [, , height, width] = g.shape(node.outputs[0]!) as number[];
  const reached = inputs.map((input) => {
    const { rows, columns } = extents.get(input)!;
    return slides
      ? { rows: through(rows, slides[0], height!), columns: through(columns, slides[1], width!) }
      : { rows, columns };
  });
  if (!slides && !isPointwise(g, node, moving)) return undefined;
  const extent = reached.reduce((a, b) => ({
    rows: united(a.rows, b.rows),
    columns: united(a.columns, b.columns),
  }));
  const [rows, columns] = [regionOf(extent.rows), regionOf(extent.columns)];
  if (rows.size * columns.size > most * height! * width!) return undefined;
  const reading: Reading = {
    rows: slides ? seenBy(slides[0], rows) : rows,
    columns: slides ? seenBy(slides[1], columns) : columns,
    filler: operators[node.op].window ?? 'zero',
  };
  return { node, extent, readings: new Map(inputs.map((input) => [input, reading])) };
}

const whole = (node: Node, extents: ReadonlyMap<Value, Extent>): Step => ({
  node,
  extent: undefined,
  readings: new Map(
    node.inputs.flatMap((input) => {
      const extent = extents.get(input);
      if (!extent) return [];
      const reading = { rows: everything(extent.rows), columns: everything(extent.columns), filler: 'zero' };
      return [[input, reading as Reading]];
    }),
  ),
});

/** Gives how a window slides over rows and columns of its input, if no other input moves. */
function slidesOf(
  g: GraphBuilder,
  node: Node,
  moving: readonly Value[],
): readonly [Slide, Slide] | undefined {
  const [input] = node.inputs as [Value];
  if (operators[node.op].window === null || moving.length !== 1 || moving[0] !== input) return undefined;
  const { weights } = operators[node.op];
  const kernel = weights === null ? ints(node, 'kernel_shape')! : g.shape(node.inputs[weights]!).slice(2);
  const w = windowOf(node, kernel, g.shape(input).slice(2));
  // An average that leaves padding out has another divisor at the border.
  const padded = [...w.before, ...w.after].some((pad) => pad !== 0) || int(node, 'ceil_mode', 0) === 1;
  if (node.op === 'AveragePool' && padded && int(node, 'count_include_pad', 0) === 0) return undefined;
  if (node.op === 'AveragePool' && int(node, 'ceil_mode', 0) === 1) return undefined;
  const along = (axis: 0 | 1): Slide => ({
    kernel: w.kernel[axis]!,
    stride: w.strides[axis]!,
    dilation: w.dilations[axis]!,
    before: w.before[axis]!,
  });
  return [along(0), along(1)];
}

/** Whether each position of each image comes from that position of moving inputs; other inputs are equal everywhere. */
function isPointwise(g: GraphBuilder, node: Node, moving: ReadonlySet<Value>): boolean {
  const { elementwise, movement } = operators[node.op];
  if (movement === 'view') return false; // it says how large the whole map is
  const shape = g.shape(node.outputs[0]!);
  return (elementwise ? [2, 3] : [0, 2, 3]).every((axis) => {
    const axes = rowsOf(g, node, axis);
    const comes = (i: number) => axes?.[i] === axis || shape[axis] === 1;
    return axes && node.inputs.every((input, i) => (moving.has(input) ? comes(i) : axes[i] === null));
  });
}

/** Whether patches can be cut out of a value: float32 maps of rank 4. */
const isMap = (g: GraphBuilder, value: Value): boolean =>
  g.knows(value) && g.dtype(value) === 'float32' && g.shape(value).length === 4;

/**
 * Finds the value to start at: the first whole map that is all that later values depend on; `undefined` if patches
 * would save less than a quarter of the arithmetic.
 */
export function findCut(g: GraphBuilder, start: Value, extent: Extent, logits: Value): Value | undefined {
  const { steps, extents } = plan(g, start, extent, logits);
  const lastUse = new Map<Value, number>();
  steps.forEach(({ node }, i) => {
    for (const input of node.inputs) lastUse.set(input, i);
  });
  lastUse.set(logits, steps.length);
  const live = new Set([start]);
  for (const [i, { node }] of steps.entries()) {
    for (const output of node.outputs) if ((lastUse.get(output) ?? -1) > i) live.add(output);
    for (const input of node.inputs) if (lastUse.get(input) === i) live.delete(input);
    const [only] = live;
    if (live.size === 1 && !extents.has(only!) && g.reserved.has(only!))
      return savedShare(g, steps) >= 0.25 ? only : undefined;
  }
  return undefined;
}

/** Gives the share of the arithmetic between start and logits that patches save. */
function savedShare(g: GraphBuilder, steps: readonly Step[]): number {
  let [full, saved] = [0, 0];
  for (const { node, extent } of steps) {
    const cost = operations(g, node);
    full += cost;
    if (extent) {
      const area = regionOf(extent.rows).size * regionOf(extent.columns).size;
      saved += cost * (1 - area / (extent.rows.length * extent.columns.length));
    }
  }
  return saved / full;
}

/** Counts the multiplications of a node, for one row of the batch. */
function operations(g: GraphBuilder, node: Node): number {
  const output = node.outputs[0]!;
  if (!g.knows(output)) return 0;
  const size = (value: Value) => g.shape(value).reduce((a, d) => a * Math.abs(d), 1);
  if (node.op === 'Conv') return (size(output) * size(node.inputs[1]!)) / g.shape(output)[1]!;
  if (node.op === 'MatMul' || node.op === 'Gemm')
    return size(output) * Math.abs(g.shape(node.inputs[0]!).at(-1)!);
  return size(output);
}
