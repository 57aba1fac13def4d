import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import { madeBy, multipleOf, scalar } from './expression.ts';

// Choices by sign: Where, and the positive and negative parts in sums.

/** A choice: `above` if `tested` is larger than `threshold`, else `below`; at the threshold either of them. */
export interface Branches {
  readonly tested: Value;
  readonly threshold: number;
  readonly above: Value;
  readonly below: Value;
}

/** Reads the choice that a Where makes. */
export function branchesOf(g: GraphBuilder, { op, inputs }: Node): Branches | undefined {
  if (op !== 'Where') return undefined;
  let [condition, yes, no] = inputs as [Value, Value, Value];
  for (let not = madeBy(g, condition, 'Not'); not; not = madeBy(g, condition, 'Not'))
    [condition, yes, no] = [not.inputs[0]!, no, yes];
  const test = madeBy(g, condition, 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual');
  if (!test) return undefined;
  const [a, b] = test.inputs as [Value, Value];
  const greater = test.op.startsWith('Greater');
  const [left, right] = [scalar(g, a), scalar(g, b)];
  if (right !== undefined)
    return { tested: a, threshold: right, above: greater ? yes : no, below: greater ? no : yes };
  return left === undefined
    ? undefined
    : { tested: b, threshold: left, above: greater ? no : yes, below: greater ? yes : no };
}

/** Finds x of max(x, 0). */
export function positivePart(g: GraphBuilder, value: Value): Value | undefined {
  const node = madeBy(g, value, 'Relu', 'Max', 'Clip');
  if (node?.op === 'Relu') return node.inputs[0];
  if (node?.op === 'Max') return besideZero(g, node);
  return node && scalar(g, node.inputs[1]) === 0 && !node.inputs[2] ? node.inputs[0] : undefined;
}

/** Finds x of min(x, 0). */
export function negativePart(g: GraphBuilder, value: Value): Value | undefined {
  const node = madeBy(g, value, 'Min', 'Clip');
  if (node?.op === 'Min') return besideZero(g, node);
  return node && scalar(g, node.inputs[2]) === 0 && !node.inputs[1] ? node.inputs[0] : undefined;
}

/** Finds x of max(-x, 0). */
export function mirroredPart(g: GraphBuilder, value: Value): Value | undefined {
  const mirrored = positivePart(g, value);
  const node = madeBy(g, mirrored, 'Neg', 'Mul', 'Sub');
  return node?.inputs.find((x) => g.dependsOnInputs(x) && multipleOf(g, mirrored!, x) === -1);
}

/** Finds the other input of a maximum or minimum of two inputs if one is 0. */
export function besideZero(g: GraphBuilder, { inputs }: Node): Value | undefined {
  if (inputs.length !== 2) return undefined;
  const [a, b] = inputs as [Value, Value];
  return scalar(g, a) === 0 ? b : scalar(g, b) === 0 ? a : undefined;
}
