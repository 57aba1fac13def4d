import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, type Node } from '../onnx/graph.ts';
import { axisOf } from '../operators/shape/rule.ts';
import { type Run, slicedRuns } from '../operators/shape/slicing.ts';
import { keep, type Upgraded } from './upgraded.ts';

// Exporters say of every axis what is taken, of the batch too: all of it, whatever its size. Nothing is cut then, and the
// node needs no derivative that cuts batches.

const takesAll = ({ first, step, count }: Run, size: number): boolean =>
  first === 0 && step === 1 && count === size;

/** What a Slice takes along each axis, at each of the batch sizes that shapes are followed at, as far as it is known. */
function runsEach(g: GraphBuilder, { inputs }: Node): Run[][] | undefined {
  const sides = g.factsEach(inputs[0]!).map(({ shape }, side) => {
    const elements = (i: number) => g.factsEach(inputs[i] ?? '')[side]?.value;
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map(elements);
    const known = [1, 2, 3, 4].every((i) => !inputs[i] || elements(i) !== undefined);
    return starts && ends && known ? slicedRuns(shape, starts, ends, axes, steps) : undefined;
  });
  return sides.length > 0 && sides.every((runs) => runs !== undefined) ? sides : undefined;
}

/** A Slice that says of the batch too what it takes, without the axes that it takes all of. */
export function sliceBesideBatch(g: GraphBuilder, node: Node): Upgraded {
  const x = node.inputs[0]!;
  const runs = g.knows(x) ? runsEach(g, node) : undefined;
  if (!runs) return keep(node);
  const shape = g.shape(x);
  const whole = shape.map((_, axis) =>
    g.factsEach(x).every((fact, side) => takesAll(runs[side]![axis]!, fact.shape[axis]!)),
  );
  const touched = sliced(g, node, shape.length);
  // What cuts batches, or cuts none, stays as it is.
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

/** The axes that a Slice names. */
function sliced(g: GraphBuilder, { inputs }: Node, rank: number): number[] | undefined {
  const [start] = g.factsEach(inputs[1]!);
  const axes = inputs[3] ? g.elements(inputs[3]) : start?.value?.map((_, i) => i);
  return axes?.map((axis) => axisOf(axis, rank));
}

/** Those of a list's elements that do not depend on the batch; `null` where one does, nothing where there is no list. */
function chosen(g: GraphBuilder, list: Value | undefined, places: readonly number[]) {
  if (!list) return undefined;
  const [a, b] = g.factsEach(list);
  const same = places.every((i) => a?.value?.[i] !== undefined && a.value[i] === b?.value?.[i]);
  return same ? places.map((i) => a!.value![i]!) : null;
}

/** Whether a Gather takes all images in their order. */
export function takesBatch(g: GraphBuilder, node: Node): boolean {
  const [x, index] = node.inputs as [Value, Value];
  if (!g.knows(x) || !g.counts(index)) return false;
  const axis = axisOf(int(node, 'axis', 0), g.shape(x).length);
  const [places] = g.shape(index);
  return g.shape(index).length === 1 && places! < 0 && places === g.shape(x)[axis];
}
