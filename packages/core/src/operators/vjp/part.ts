import type { Value } from '../../onnx/builder.ts';
import { Expression } from '../../onnx/expression.ts';
import { reachable } from '../../onnx/graph.ts';
import { getOwn } from '../../own.ts';
import type { RuleContext } from './rule.ts';

/**
 * Finds a value inside a function that the file spells out, by its role. It is computed anew here, but only once in the
 * graph that is written. `undefined` for a function that is one node in the file, or has no such value.
 */
export function partOf({ node, y: { g } }: RuleContext, part: string): Expression | undefined {
  const { inputs, nodes, parts } = node.spelling ?? {
    inputs: [],
    nodes: [],
    parts: {} as Record<string, Value>,
  };
  const wanted = getOwn(parts, part);
  if (wanted === undefined) return undefined;
  const names = new Map(inputs.map((value, i) => [value, node.inputs[i]!]));
  const current = (value: Value) => names.get(value) ?? value;
  for (const inner of reachable(nodes, [wanted]))
    g.copy(inner, inner.inputs.map(current), inner.outputs.length).forEach((made, i) => {
      names.set(inner.outputs[i]!, made);
    });
  return new Expression(g, current(wanted));
}
