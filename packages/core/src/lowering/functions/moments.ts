import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { int, type Node } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { eitherWay, madeBy, scalar } from './expression.ts';

// Means, variances and norms as exporters write them, and quotients by their roots.

/** A reduction that keeps its axes with size 1. */
interface Reduced {
  readonly of: Value;
  /** The axes in order, counted from the front. */
  readonly axes: readonly number[];
}

export function reduced(g: GraphBuilder, value: Value | undefined, op: string): Reduced | undefined {
  const node = madeBy(g, value, op, ...(op === 'ReduceMean' ? ['GlobalAveragePool'] : []));
  if (!node) return undefined;
  const of = node.inputs[0]!;
  const { length } = g.shape(of);
  const all = Array.from({ length }, (_, i) => i);
  if (node.op === 'GlobalAveragePool') return { of, axes: all.slice(2) };
  const given = g.elements(node.inputs[1] ?? '');
  if (int(node, 'keepdims', 1) !== 1 || (node.inputs[1] && !given)) return undefined;
  if (given?.length) return { of, axes: given.map((axis) => axisOf(axis, length)).sort((a, b) => a - b) };
  return int(node, 'noop_with_empty_axes', 0) === 1 ? undefined : { of, axes: all };
}

/** Finds v of v². */
export function squared(g: GraphBuilder, value: Value | undefined): Value | undefined {
  const node = madeBy(g, value, 'Mul', 'Pow');
  if (!node) return undefined;
  const [a, b] = node.inputs as [Value, Value];
  return (node.op === 'Pow' ? scalar(g, b) === 2 : same(g, a, b)) ? a : undefined;
}

/** Tells whether two values are the same, by their computation. */
export function same(g: GraphBuilder, a: Value, b: Value, depth = 3): boolean {
  if (a === b) return true;
  const [x, y] = [g.maker(a), g.maker(b)];
  return (
    depth > 0 &&
    x !== undefined &&
    x.op === y?.op &&
    x.inputs.length === y.inputs.length &&
    JSON.stringify(x.attributes) === JSON.stringify(y.attributes) &&
    x.inputs.every((input, i) => same(g, input, y.inputs[i]!, depth - 1))
  );
}

/** A value minus its mean. */
export interface Centred extends Reduced {
  readonly mean: Value;
}

export function centred(g: GraphBuilder, value: Value | undefined): Centred | undefined {
  const node = madeBy(g, value, 'Sub');
  const mean = node && reduced(g, node.inputs[1], 'ReduceMean');
  return mean && mean.of === node.inputs[0] ? { ...mean, mean: node.inputs[1]! } : undefined;
}

/** Tells whether a value is the variance of x over some axes: mean (x - mean x)², or mean x² - (mean x)². */
export function isVariance(g: GraphBuilder, value: Value, x: Value, axes: readonly number[]): boolean {
  const over = (found: Reduced | undefined) => found?.axes.join() === axes.join();
  const whole = reduced(g, value, 'ReduceMean');
  if (whole) {
    const deviation = centred(g, squared(g, whole.of));
    return over(whole) && over(deviation) && deviation?.of === x;
  }
  const difference = madeBy(g, value, 'Sub');
  if (!difference) return false;
  const [squares, mean] = [
    reduced(g, difference.inputs[0], 'ReduceMean'),
    reduced(g, squared(g, difference.inputs[1]), 'ReduceMean'),
  ];
  return over(squares) && over(mean) && mean?.of === x && squared(g, squares?.of) === x;
}

/** A value that is divided by a root. */
export interface OverRoot {
  readonly top: Value;
  /** The value under the root. */
  readonly square: Value;
  /** The root, or its reciprocal. */
  readonly root: { readonly deviation: Value } | { readonly inverse: Value };
}

/** Finds top / √square, as a quotient or a product with the reciprocal. */
export function* overRoots(g: GraphBuilder, node: Node): Generator<OverRoot> {
  if (node.op === 'Div') {
    const [top, deviation] = node.inputs as [Value, Value];
    const square = rootOf(g, deviation);
    if (square !== undefined) yield { top, square, root: { deviation } };
  }
  if (node.op !== 'Mul') return;
  for (const [top, inverse] of eitherWay(node)) {
    const square = inverseRootOf(g, inverse);
    if (square !== undefined) yield { top, square, root: { inverse } };
  }
}

/** Finds v of √v. */
export function rootOf(g: GraphBuilder, value: Value | undefined): Value | undefined {
  const node = madeBy(g, value, 'Sqrt', 'Pow');
  return node && (node.op === 'Sqrt' || scalar(g, node.inputs[1]) === 0.5) ? node.inputs[0] : undefined;
}

/** Finds v of 1/√v. */
export function inverseRootOf(g: GraphBuilder, value: Value | undefined): Value | undefined {
  const node = madeBy(g, value, 'Reciprocal', 'Div', 'Pow');
  if (node?.op === 'Reciprocal') return rootOf(g, node.inputs[0]);
  if (node?.op === 'Div') return scalar(g, node.inputs[0]) === 1 ? rootOf(g, node.inputs[1]) : undefined;
  return node && scalar(g, node.inputs[1]) === -0.5 ? node.inputs[0] : undefined;
}

/** Finds a value and the number added to it, 0 if there is no such number. */
export function shifted(g: GraphBuilder, value: Value): { of: Value; by: number } {
  const node = madeBy(g, value, 'Add');
  for (const [of, number] of node ? eitherWay(node) : []) {
    const by = scalar(g, number);
    if (by !== undefined && by >= 0) return { of, by };
  }
  return { of: value, by: 0 };
}
