import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, mul, reshape, scale } from '../../onnx/emit.ts';
import { int, type Node, reachable, real } from '../../onnx/graph.ts';
import { type Affine, affineOf } from './affine.ts';

// A network's layers with weights, as the rules see them: what scales and shifts a layer's channels right after it (a
// batch normalisation, a bias of its own node, a factor) counts as part of its weights and bias.

export interface LinearLayer {
  readonly node: Node;
  readonly kind: 'convolution' | 'dense';
  /** Which input the data is, and which the weights. */
  readonly data: 0 | 1;
  readonly weights: 0 | 1;
  /** What follows it and is part of it, in order. */
  readonly merged: readonly Affine[];
  /** What comes out of the last of them. */
  readonly output: Value;
}

export interface LinearLayers {
  /** By the output of the layer's own node, in the network's order. */
  readonly layers: ReadonlyMap<Value, LinearLayer>;
  /** Outputs of nodes that are part of the layer before them. */
  readonly merged: ReadonlySet<Value>;
}

/** @param nodes the network's own, in order */
export function linearLayers(g: GraphBuilder, nodes: readonly Node[], scores: Value): LinearLayers {
  const used = reachable(nodes, [scores]);
  const users = Map.groupBy(
    used.flatMap((node) => node.inputs.map((input) => ({ input, node }))),
    ({ input }) => input,
  );
  const layers = new Map<Value, LinearLayer>();
  const merged = new Set<Value>();
  for (const node of used) {
    const found = layerOf(g, node);
    if (!found) continue;
    const chain: Affine[] = [];
    let output = node.outputs[0]!;
    for (let next = output === scores ? undefined : onlyUser(users, output); next; ) {
      const affine = affineOf(g, next, output, channelsOf(g, found));
      if (!affine) break;
      chain.push(affine);
      output = next.outputs[0]!;
      merged.add(output);
      next = output === scores ? undefined : onlyUser(users, output);
    }
    layers.set(node.outputs[0]!, { ...found, merged: chain, output });
  }
  return { layers, merged };
}

type Found = Pick<LinearLayer, 'node' | 'kind' | 'data' | 'weights'>;

/** A node that multiplies data with weights. */
function layerOf(g: GraphBuilder, node: Node): Found | undefined {
  const moving = node.inputs.map((input) => input !== '' && g.dependsOnInputs(input));
  const kind = node.op === 'Conv' || node.op === 'ConvTranspose' ? 'convolution' : 'dense';
  const plain = moving[0] && moving.slice(1).every((moves) => !moves);
  switch (node.op) {
    case 'Conv':
    case 'ConvTranspose':
    case 'Gemm':
      return plain ? { node, kind, data: 0, weights: 1 } : undefined;
    case 'MatMul':
      if (plain) return { node, kind, data: 0, weights: 1 };
      return moving[1] && !moving[0] ? { node, kind, data: 1, weights: 0 } : undefined;
    default:
      return undefined;
  }
}

/** The axis of a layer's output that its channels lie along, where what follows can be made part of the weights. */
function channelsOf(g: GraphBuilder, { node, kind, data, weights }: Found): number | undefined {
  if (kind === 'convolution') return node.op === 'ConvTranspose' && int(node, 'group', 1) > 1 ? undefined : 1;
  const rank = g.shape(node.outputs[0]!).length;
  return data === 0 && g.shape(node.inputs[weights]!).length >= 2 ? rank - 1 : undefined;
}

function onlyUser(
  users: ReadonlyMap<Value, readonly { readonly node: Node }[]>,
  value: Value,
): Node | undefined {
  const found = users.get(value) ?? [];
  return found.length === 1 ? found[0]!.node : undefined;
}

export interface Parameters {
  readonly weights: Value;
  readonly bias: Value | undefined;
}

/** A layer's weights and bias with all that is part of it. */
export function parametersOf(g: GraphBuilder, { node, weights, merged }: LinearLayer): Parameters {
  const given = node.inputs[2] || undefined;
  const own: Parameters = {
    weights: scale(g, node.inputs[weights]!, node.op === 'Gemm' ? real(node, 'alpha', 1) : 1),
    bias: given && scale(g, given, node.op === 'Gemm' ? real(node, 'beta', 1) : 1),
  };
  return merged.reduce((before, affine) => withAffine(g, node, before, affine), own);
}

/** Weights and bias of a·(w·x + b) + c. */
function withAffine(g: GraphBuilder, node: Node, { weights, bias }: Parameters, affine: Affine): Parameters {
  const { factor, shift: offset } = affine(g);
  const scaled = factor ? mul(g, weights, alongOutputs(g, node, weights, factor)) : weights;
  const scaledBias = bias && factor ? mul(g, bias, factor) : bias;
  return {
    weights: scaled,
    bias: scaledBias && offset ? add(g, scaledBias, offset) : (offset ?? scaledBias),
  };
}

/** A number per output channel in the shape that meets the weights' axis of output channels. */
function alongOutputs(g: GraphBuilder, node: Node, weights: Value, factor: Value): Value {
  const [channels] = g.shape(factor) as [number];
  const rank = g.shape(weights).length;
  const behind = { Conv: rank - 1, ConvTranspose: rank - 2, Gemm: int(node, 'transB', 0), MatMul: 0 }[
    node.op
  ]!;
  return reshape(g, factor, [channels, ...Array<number>(behind).fill(1)]);
}

/** The layer's output for another input, weights and bias. */
export function applied(
  g: GraphBuilder,
  { node, weights }: LinearLayer,
  x: Value,
  { weights: w, bias }: Parameters,
): Value {
  const plain = plainNode(node);
  const operands = weights === 1 ? [x, w] : [w, x];
  if (bias === undefined) return g.emit(node.op, operands, plain.attributes);
  if (node.op === 'Conv' || node.op === 'ConvTranspose')
    return g.emit(node.op, [...operands, bias], plain.attributes);
  return add(g, g.emit(node.op, operands, plain.attributes), bias);
}

/** The node without factors of its own, which its parameters have already. */
export function plainNode(node: Node): Node {
  const { alpha: _alpha, beta: _beta, ...attributes } = node.attributes;
  return node.op === 'Gemm' ? { ...node, attributes } : node;
}
