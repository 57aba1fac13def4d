import { groupBy } from '../group-by.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { mul, reshape } from './emit.ts';
import { int, type Node, reachable } from './graph.ts';

/**
 * Multiplies constant factors, a number or a number per channel, into the weights of the product next to them. This
 * saves a pass over the activations:
 *
 *     (a·W)·c = a·(W·c),   (a·c)·W = a·(c·W)
 *
 * Only weights that nodes make are scaled, such as kernels turned for a backward pass: ONNX Runtime computes these
 * once, when it loads the graph. Nodes from `from` on that `results` do not need are dropped.
 *
 * @param from the index of the first node of the backward pass: the model before it stays as it is
 */
export function foldFactors(g: GraphBuilder, from: number, results: readonly Value[]): void {
  const used = reachable(g.nodes.slice(from), results);
  const uses = groupBy([...used.flatMap(({ inputs }) => inputs), ...results], (value) => value);
  const nodes = new Set<Node>();
  const makers = new Map<Value, Node>();
  const keep = (node: Node): void => {
    nodes.add(node);
    for (const output of node.outputs) makers.set(output, node);
  };
  /** Finds the node that makes a value used only once. */
  const madeFor = (value: Value | undefined): Node | undefined =>
    value !== undefined && uses.get(value)?.length === 1 ? makers.get(value) : undefined;

  for (const node of used) {
    const before = madeFor(node.inputs[0]);
    const own = factorOf(g, node);
    const product = own && madeFor(own.of);
    const ahead = before && factorOf(g, before);
    const [folded, gone] =
      own && product && madeFor(product.inputs[1])
        ? [scaled(g, product, own.by, 'outputs', product.inputs[0]!, node.outputs), product]
        : ahead && madeFor(node.inputs[1])
          ? [scaled(g, node, ahead.by, 'inputs', ahead.of, node.outputs), before]
          : [];
    if (folded && gone) nodes.delete(gone);
    for (const made of folded ?? [node]) keep(made);
  }
  g.replaceNodes(from, nodes);
}

interface Factor {
  readonly of: Value;
  readonly by: Value;
}

/** Reads a node as a product with a constant. */
function factorOf(g: GraphBuilder, { op, inputs: [a, b] }: Node): Factor | undefined {
  if (op !== 'Mul' || g.dependsOnInputs(a!) === g.dependsOnInputs(b!)) return undefined;
  return g.dependsOnInputs(a!) ? { of: a!, by: b! } : { of: b!, by: a! };
}

/** Makes the product of `x` with weights scaled along input or output channels, and the nodes that scale them. */
function scaled(
  g: GraphBuilder,
  product: Node,
  by: Value,
  channels: 'inputs' | 'outputs',
  x: Value,
  outputs: readonly Value[],
): Node[] | undefined {
  const start = g.nodes.length;
  const weights = product.inputs[1]!;
  const factor = alongWeights(g, product, by, channels);
  if (factor === undefined) return undefined;
  const inputs = [x, g.within(product.name, () => mul(g, weights, factor))];
  return [...g.nodes.splice(start), { ...product, inputs, outputs }];
}

/** Reshapes a factor of a product's input or output activations into a factor of its weights. */
function alongWeights(
  g: GraphBuilder,
  product: Node,
  by: Value,
  channels: 'inputs' | 'outputs',
): Value | undefined {
  const [x, weights, bias] = product.inputs as [Value, Value, Value?];
  if (bias !== undefined || g.dependsOnInputs(weights)) return undefined;
  const activations = g.shape(channels === 'inputs' ? x : product.outputs[0]!);
  const shape = g.shape(by);
  const axes = weightAxes(g, product);
  if (!axes || shape.length > activations.length) return undefined;
  const count = shape.reduce((n, d) => n * d, 1);
  if (count === 1) return shape.length > 1 ? reshape(g, by, [1]) : by;
  const along = axes.activations - activations.length; // from the end, as shapes broadcast
  const axis = axes[channels];
  if (axis === undefined || shape.at(along) !== count || activations.at(along) !== count) return undefined;
  return reshape(g, by, [
    count,
    ...g
      .shape(weights)
      .slice(axis + 1)
      .map(() => 1),
  ]);
}

/** Finds the axes of the channels, in activations and in weights. */
function weightAxes(
  g: GraphBuilder,
  { op, inputs: [x, weights], attributes }: Node,
): { activations: number; inputs: number | undefined; outputs: number } | undefined {
  const [rank, shape] = [g.shape(x!).length, g.shape(weights!)];
  if (op === 'MatMul' && shape.length === 2 && rank >= 2)
    return { activations: rank - 1, inputs: 0, outputs: 1 };
  if (op !== 'Conv') return undefined;
  const group = int({ attributes }, 'group', 1);
  const depthwise = shape[1] === 1 && shape[0] === group;
  return { activations: 1, inputs: group === 1 ? 1 : depthwise ? 0 : undefined, outputs: 0 };
}
