import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { isFloat } from '../../onnx/dtype.ts';
import { ints, type Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';
import { operators } from '../../operators/table.ts';
import { vjpOf } from '../../operators/vjp/rule.ts';
import { gradientRules } from '../gradient.ts';
import { between, dependents } from '../path.ts';
import { captumNonlinear, followsNonlinear } from './captum.ts';
import { nonlinear, ruled } from './index.ts';
import { rowsOf } from './pairs.ts';

/** The part of a network from the explained value to the scores. */
export interface Way {
  readonly g: GraphBuilder;
  readonly image: Value;
  readonly from: Value;
  readonly to: Value;
}

/**
 * Finds where DeepLIFT loses a part of the difference between the scores: operators on the way for which Σ m·Δx is not
 * the difference of their outputs, with their nodes. If there are no such operators, attributions add up.
 *
 * @param captum whether the rules are those of Captum
 */
export function lossesOn({ g, image, from, to }: Way, captum: boolean): Map<string, string[]> {
  const { moving } = between(g, [from], [to]);
  const changing = dependents(g, [from], [to]);
  const losses = new Map<string, string[]>();
  for (const node of changing.nodes) {
    if (!node.outputs.some((y) => isFloatOf(g, y))) continue; // judged where they are used
    const unfollowed = node.inputs.findIndex(
      (x) => changing.values.has(x) && !moving.has(x) && !isFloatOf(g, x),
    );
    const what =
      unfollowed >= 0
        ? `${node.op} (input ${unfollowed})`
        : addsUp(g, node, moving, g.shape(image)[0]!, captum ? from : undefined)
          ? undefined
          : node.op;
    if (what !== undefined) losses.set(what, [...(losses.get(what) ?? []), node.name]);
  }
  return losses;
}

const isFloatOf = (g: GraphBuilder, value: Value): boolean => g.knows(value) && isFloat(g.dtype(value));

/** Whether Σ m·Δx = Δy at a node. @param layer the explained layer, with Captum's rules */
function addsUp(
  g: GraphBuilder,
  node: Node,
  moving: ReadonlySet<Value>,
  rows: number,
  layer: Value | undefined,
): boolean {
  const { linear, movement, data } = operators[node.op];
  const moved = node.inputs.flatMap((x, i) => (moving.has(x) ? [i] : []));
  if (moved.some((i) => vjpOf(gradientRules, node.op, i) === null)) return false;
  if (linear === 'jointly' || movement !== 'no' || passing.includes(node.op)) return true;
  const together = moved.filter((i) => i < data).length;
  if (together === 1 && (linear === 'each' || (linear === 'first' && moved[0] === 0))) return true;
  const told = [...moved.map((i) => node.inputs[i]!), node.outputs[0]!].every((value) =>
    rowsOf(g, value, rows),
  );
  if (!told || node.outputs.slice(1).some((y) => moving.has(y))) return false;
  if (layer !== undefined) return captumNonlinear.includes(node.op) || apartPool(g, node, layer);
  if (linear === 'each') return together === 2;
  if (nonlinear.includes(node.op)) return moved.length === 1 || node.inputs.length === 2;
  return ruled.includes(node.op);
}

/** Operators that pass elements on unchanged, if the choice does not move: choices among values, type conversions. */
const passing: readonly OperatorName[] = ['Where', 'ScatterElements', 'ScatterND', 'Cast', 'CastLike'];

/** Whether Captum shares a pool out in full: windows do not overlap, and none of the six nonlinearities precedes it. */
function apartPool(g: GraphBuilder, node: Node, layer: Value): boolean {
  const kernel = ints(node, 'kernel_shape') ?? [];
  const [strides, dilations] = [ints(node, 'strides'), ints(node, 'dilations')];
  const apart = kernel.every((k, i) => (k - 1) * (dilations?.[i] ?? 1) < (strides?.[i] ?? 1));
  return node.op === 'MaxPool' && apart && !followsNonlinear(g, node, layer);
}
