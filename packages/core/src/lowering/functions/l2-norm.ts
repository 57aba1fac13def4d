import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { float, type Node } from '../../onnx/graph.ts';
import { eitherWay, madeBy, scalar } from './expression.ts';
import { inverseRootOf, reduced, rootOf, shifted, squared } from './moments.ts';
import type { Recogniser } from './recogniser.ts';

/** The divisor of a vector: its length, clipped from below at `floor`, or √(length² + `epsilon`). */
interface Norm {
  readonly of: Value;
  readonly axes: readonly number[];
  readonly floor: number;
  readonly epsilon: number;
}

/** Recognises x over its length along some axes: x / max(‖x‖, ε), x / √(Σx² + ε), or a product with the reciprocal. */
export const l2Norm: Recogniser = (g, node) => {
  for (const { x, divisor, inverse } of quotients(g, node)) {
    const repeated = new Map<Value, Value>();
    const single = divisor === undefined ? undefined : withoutExpand(g, divisor, x, repeated);
    const norm = single === undefined ? inverseNorm(g, inverse!) : normOf(g, single);
    if (norm?.of !== x || norm.axes.includes(0)) continue;
    return {
      op: 'L2Normalization',
      inputs: [x],
      attributes: { axes: norm.axes, floor: float(norm.floor), epsilon: float(norm.epsilon) },
      parts: single === undefined ? { inverse: inverse! } : { norm: single },
      ...(repeated.size > 0 && { repeated }),
    };
  }
  return undefined;
};

function* quotients(g: GraphBuilder, node: Node): Generator<{ x: Value; divisor?: Value; inverse?: Value }> {
  const [a, b] = node.inputs as [Value, Value];
  if (node.op === 'Div') yield { x: a, divisor: b };
  else
    for (const [x, inverse] of eitherWay(node))
      if (inverseRootOf(g, inverse) !== undefined) yield { x, inverse };
}

/** Finds the value that is expanded to x's shape. */
function withoutExpand(g: GraphBuilder, value: Value, x: Value, repeated: Map<Value, Value>): Value {
  const expand = madeBy(g, value, 'Expand');
  if (!expand || g.shape(value).join() !== g.shape(x).join()) return value;
  repeated.set(value, expand.inputs[0]!);
  return expand.inputs[0]!;
}

function normOf(g: GraphBuilder, value: Value): Norm | undefined {
  const { of, floor } = above(g, value);
  const length = reduced(g, of, 'ReduceL2');
  if (length) return { ...length, floor, epsilon: 0 };
  const square = rootOf(g, of);
  const inner = square === undefined ? undefined : squareNorm(g, square);
  return inner && floor > 0 && (inner.floor > 0 || inner.epsilon > 0)
    ? undefined
    : inner && { ...inner, floor: Math.max(floor, inner.floor) };
}

function inverseNorm(g: GraphBuilder, inverse: Value): Norm | undefined {
  return squareNorm(g, inverseRootOf(g, inverse)!);
}

/** Reads the square of a norm. */
function squareNorm(g: GraphBuilder, square: Value): Norm | undefined {
  const { of: held, floor } = above(g, square);
  const { of, by } = floor > 0 ? { of: held, by: 0 } : shifted(g, held);
  const sum = reduced(g, of, 'ReduceSum');
  const whole = sum ? { of: squared(g, sum.of), axes: sum.axes } : reduced(g, of, 'ReduceSumSquare');
  return whole?.of === undefined
    ? undefined
    : { of: whole.of, axes: whole.axes, floor: Math.sqrt(floor), epsilon: by };
}

/** Finds a value that is clipped from below, and the bound; 0 if it is not. */
function above(g: GraphBuilder, value: Value): { of: Value; floor: number } {
  const node = madeBy(g, value, 'Clip', 'Max');
  if (node?.op === 'Clip' && !node.inputs[2]) {
    const floor = scalar(g, node.inputs[1]);
    if (floor !== undefined && floor > 0) return { of: node.inputs[0]!, floor };
  }
  for (const [of, number] of node?.op === 'Max' && node.inputs.length === 2 ? eitherWay(node) : []) {
    const floor = scalar(g, number);
    if (floor !== undefined && floor > 0) return { of, floor };
  }
  return { of: value, floor: 0 };
}
