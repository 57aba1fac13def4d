import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, type Node } from '../onnx/graph.ts';
import { axisOf } from '../operators/shape/rule.ts';
import { type Run, slicedRuns } from '../operators/shape/slicing.ts';
import { keep, type Upgraded } from './upgraded.ts';

// Exporters write what is taken along every axis, also along the batch: all of it, for every size. So the batch is not
// cut, and the node needs no derivative that cuts batches.

const takesAll = ({ first, step, count }: Run, size: number): boolean =>
  first === 0 && step === 1 && count === size;

/** Computes what a Slice takes along each axis, for each batch size at which shapes are followed, if it is known. */
function runsEach(g: GraphBuilder, { inputs }: Node): Run[][] | undefined {
  const sides = g.factsEach(inputs[0]!).map(({ shape }, side) => {
    const elements = (i: number) => g.factsEach(inputs[i] ?? '')[side]?.value;
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map(elements);
    const known = [1, 2, 3, 4].every((i) => !inputs[i] || elements(i) !== undefined);
    return starts && ends && known ? slicedRuns(shape, starts, ends, axes, steps) : undefined;
  });
  return sides.length > 0 && sides.every((runs) => runs !== undefined) ? sides : undefined;
}

/** Removes the axes that a Slice takes whole, if the Slice also names the batch. */
export function sliceBesideBatch(g: GraphBuilder, node: Node): Upgraded {
  const x = node.inputs[0]!;
  const runs = g.knows(x) ? runsEach(g, node) : undefined;
  if (!runs) return keep(node);
  const shape = g.shape(x);
  const whole = shape.map((_, axis) =>
    g.factsEach(x).every((fact, side) => takesAll(runs[side]![axis]!, fact.shape[axis]!)),
  );
  const touched = sliced(g, node, shape.length);
  // A Slice that cuts the batch, or does not name it, stays as it is.
  if (!touched?.some((axis) => shape[axis]! < 0)) return keep(node);
  if (touched.some((axis) => shape[axis]! < 0 && !whole[axis])) return keep(node);
  const left = touched.flatMap((axis, i) => (whole[axis] ? [] : [i]));
  if (left.length === 0) return { alias: x };
  const parameters = [1, 2, 3, 4].map((i) => chosen(g, node.inputs[i], left));
  if (parameters.includes(null)) return keep(node);
  const [starts, ends, , steps] = parameters as (readonly number[] | undefined)[];
  const axes = g.ints(left.map((i) => touched[i]!));
  return keep({
    ...node,
    inputs: [x, g.ints(starts!), g.ints(ends!), axes, ...(steps ? [g.ints(steps)] : [])],
  });
}

/** Lists the axes that a Slice names. */
function sliced(g: GraphBuilder, { inputs }: Node, rank: number): number[] | undefined {
  const [start] = g.factsEach(inputs[1]!);
  const axes = inputs[3] ? g.elements(inputs[3]) : start?.value?.map((_, i) => i);
  return axes?.map((axis) => axisOf(axis, rank));
}

/** Takes the elements of a list at `places`; `null` if one depends on the batch, `undefined` if there is no list. */
function chosen(g: GraphBuilder, list: Value | undefined, places: readonly number[]) {
  if (!list) return undefined;
  const [a, b] = g.factsEach(list);
  const same = places.every((i) => a?.value?.[i] !== undefined && a.value[i] === b?.value?.[i]);
  return same ? places.map((i) => a!.value![i]!) : null;
}

/** Tells whether a Gather takes all images in their order. */
export function takesBatch(g: GraphBuilder, node: Node): boolean {
  const [x, index] = node.inputs as [Value, Value];
  if (!g.knows(x) || !g.counts(index)) return false;
  const axis = axisOf(int(node, 'axis', 0), g.shape(x).length);
  const [places] = g.shape(index);
  return g.shape(index).length === 1 && places! < 0 && places === g.shape(x)[axis];
}
