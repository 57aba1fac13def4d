import { groupBy } from '../../group-by.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { Expression } from '../../onnx/expression.ts';
import { int, type Node, reachable } from '../../onnx/graph.ts';
import { axisOf } from '../../operators/shape/rule.ts';
import { type Affine, affineOf } from './affine.ts';
import { isCentering, layerKindOf } from './operators.ts';

// The network in the form that rules are defined for. A node right after a layer that scales and shifts its channels (a
// batch normalisation, or a bias as a separate node) counts as part of the layer; likewise after a layer normalisation.

/** A node with the nodes that count as part of it. */
export interface Canonical {
  readonly node: Node;
  /** The nodes that follow it and are part of it, in order. */
  readonly follows: readonly Affine[];
  /** The output of the last of them, or of the node if there are none. */
  readonly output: Expression;
}

/** A layer with weights, as the rules see it. */
export interface LinearLayer extends Canonical {
  readonly kind: 'convolution' | 'dense';
  /** The number of the input that is the weights. */
  readonly weights: 0 | 1;
}

export interface CanonicalForm {
  /** Layers by the output of their own node, in the network's order. */
  readonly layers: ReadonlyMap<Value, LinearLayer>;
  /** Normalisations that subtract a mean, by the output of their own nodes. */
  readonly normalisations: ReadonlyMap<Value, Canonical>;
  /** Outputs of nodes that are part of a node before them. */
  readonly merged: ReadonlySet<Value>;
}

/** @param nodes the network's own nodes, in order */
export function canonicalForm(g: GraphBuilder, nodes: readonly Node[], scores: Value): CanonicalForm {
  const used = reachable(nodes, [scores]);
  const users = groupBy(
    used.flatMap((node) => node.inputs.map((input) => ({ input, node }))),
    ({ input }) => input,
  );
  const followed = (node: Node): Canonical => {
    const axis = channelAxis(g, node);
    const follows: Affine[] = [];
    for (let output = node.outputs[0]!; ; ) {
      const [next, ...others] = users.get(output) ?? [];
      const alone = next && others.length === 0 && output !== scores && axis !== undefined;
      const affine = alone ? affineOf(g, next.node, output, axis) : undefined;
      if (!affine) return { node, follows, output: new Expression(g, output) };
      follows.push(affine);
      output = affine.node.outputs[0]!;
    }
  };
  const layers = used.flatMap((node): LinearLayer[] => {
    const weights = weightsOf(g, node);
    const kind = layerKindOf(node);
    return kind === undefined || weights === undefined ? [] : [{ ...followed(node), kind, weights }];
  });
  const normalisations = used.filter(isCentering).map(followed);
  const byOutput = <T extends Canonical>(list: readonly T[]) =>
    new Map(list.map((one) => [one.node.outputs[0]!, one]));
  return {
    layers: byOutput(layers),
    normalisations: byOutput(normalisations),
    merged: new Set(
      [...layers, ...normalisations].flatMap(({ follows }) => follows.map(({ node }) => node.outputs[0]!)),
    ),
  };
}

/** Finds the input of a product that is constant while the other moves; a bias must not move. */
function weightsOf(g: GraphBuilder, { op, inputs }: Node): 0 | 1 | undefined {
  const [a, b, bias] = inputs.map((input) => input !== '' && g.dependsOnInputs(input));
  if (a === b || bias) return undefined;
  if (!b) return 1;
  return op === 'MatMul' ? 0 : undefined;
}

/** Finds the channel axis of a node's output, if numbers per channel can be made part of the node's parameters. */
function channelAxis(g: GraphBuilder, node: Node): number | undefined {
  const rank = g.shape(node.outputs[0]!).length;
  switch (node.op) {
    case 'ConvTranspose':
      return int(node, 'group', 1) > 1 ? undefined : 1;
    case 'Gemm':
      return 1;
    case 'MatMul':
      return !g.dependsOnInputs(node.inputs[1]!) && g.shape(node.inputs[1]!).length >= 2
        ? rank - 1
        : undefined;
    case 'LayerNormalization':
      return axisOf(int(node, 'axis', -1), rank) === rank - 1 ? rank - 1 : undefined;
    default:
      return 1;
  }
}
