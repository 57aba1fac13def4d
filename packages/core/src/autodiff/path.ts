import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { type VjpRules, vjpOf } from '../operators/vjp/rule.ts';

// Finds the part of a graph that a derivative has to pass.

export interface Path {
  readonly nodes: readonly Node[];
  /** Values that depend on a wanted value. */
  readonly moving: ReadonlySet<Value>;
}

/** Whether a derivative can pass a node's output: it is of floats, or of integers made from floats by quantization. */
function varying(g: GraphBuilder, node: Node, output: Value): boolean {
  if (output === '' || !g.knows(output)) return output !== '';
  const dtype = g.dtype(output);
  return isFloat(dtype) || (node.op !== 'Cast' && /^u?int(8|16)$/.test(dtype));
}

/** The nodes that lie on a way from `from` to `to`; no way leads through indices and truth values. */
export function between(g: GraphBuilder, from: Iterable<Value>, to: Iterable<Value>): Path {
  const moving = new Set(from);
  const forward = g.nodes.filter((node) => {
    const moves = node.inputs.some((input) => moving.has(input));
    if (moves) for (const output of node.outputs) if (varying(g, node, output)) moving.add(output);
    return moves;
  });
  const needed = new Set(to);
  const kept = forward.toReversed().filter((node) => {
    const leads = node.outputs.some((output) => needed.has(output));
    if (leads) for (const input of node.inputs) if (moving.has(input)) needed.add(input);
    return leads;
  });
  return { nodes: kept.reverse(), moving };
}

/** Finds the nodes on a way from `from` to `to`, through truth values and indices too, but not through shapes. */
export function dependents(g: GraphBuilder, from: Iterable<Value>, to: Iterable<Value>) {
  const values = new Set(from);
  const forward = g.nodes.filter((node) => {
    const depends = !ofShapes.includes(node.op) && node.inputs.some((input) => values.has(input));
    if (depends) for (const output of node.outputs) if (output !== '') values.add(output);
    return depends;
  });
  const needed = new Set(to);
  const nodes = forward.toReversed().filter((node) => {
    const leads = node.outputs.some((output) => needed.has(output));
    if (leads) for (const input of node.inputs) if (values.has(input)) needed.add(input);
    return leads;
  });
  return { nodes: nodes.reverse(), values };
}

/** Operators that read only the shape of a value. */
const ofShapes: readonly OperatorName[] = ['Shape', 'Size'];

/** Whether the scores also depend on the image by a way that does not pass through a value. */
export function passedBy(g: GraphBuilder, image: Value, value: Value, scores: Value): boolean {
  const around = new Set([image]);
  for (const node of g.nodes) {
    if (ofShapes.includes(node.op) || !node.inputs.some((input) => around.has(input))) continue;
    for (const output of node.outputs) if (output !== value) around.add(output);
  }
  return around.has(scores);
}

/** Finds the operators on the path that have no rule, with the nodes that use them. */
export function unsupportedOn(path: Path, rules: VjpRules): Map<string, string[]> {
  const missing = new Map<string, string[]>();
  for (const node of path.nodes) {
    const index = node.inputs.findIndex(
      (input, i) => path.moving.has(input) && vjpOf(rules, node.op, i) === undefined,
    );
    if (index < 0) continue;
    const what = Object.hasOwn(rules, node.op) ? `${node.op} (input ${index})` : node.op;
    missing.set(what, [...(missing.get(what) ?? []), node.name]);
  }
  return missing;
}

/** Describes operators without a rule: how many nodes use them, and the name of the first. */
export const named = (missing: ReadonlyMap<string, readonly string[]>): string =>
  [...missing]
    .map(
      ([op, nodes]) =>
        `${op}: ${nodes.length === 1 ? `node ${quoted(nodes[0]!)}` : `${nodes.length} nodes, first ${quoted(nodes[0]!)}`}`,
    )
    .join('; ');

/** @throws InputError model_unsupported_op naming every operator on the path that has no rule */
export function refuseUnsupported(path: Path, rules: VjpRules): void {
  const missing = unsupportedOn(path, rules);
  if (missing.size > 0)
    throw new InputError(
      'model_unsupported_op',
      `no derivative rule for ${named(missing)} (occlusion needs none)`,
    );
}
