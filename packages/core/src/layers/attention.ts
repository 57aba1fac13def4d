import { between } from '../autodiff/path.ts';
import { InputError } from '../errors.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';
import { surveyOf } from './find.ts';
import type { Layer } from './layers.ts';

/** The attention blocks of a transformer, over tokens [N, T, C] or [T, N, C], T = prefix + h·w + suffix. */
export interface Transformer {
  readonly blocks: readonly Block[];
  /** [height, width] */
  readonly grid: readonly [number, number];
  readonly prefix: number;
  readonly suffix: number;
  /** The axis of the tokens in the outputs of blocks. */
  readonly tokenAxis: 0 | 1;
}

export interface Block {
  /** Attention of every token to every other, after Softmax: [N, heads, T, T] or [N·heads, T, T]. */
  readonly weights: Value;
  /** The value that the block passes to the next. */
  readonly output: Value;
}

/** Finds the blocks between image and scores with attention over all tokens. @throws InputError if there are none */
export function transformerOf(network: Network): Transformer {
  const { g, image, logits } = network;
  const { nodes, moving } = between(g, [image], [logits]);
  const layers = surveyOf(network).layers.filter(({ form }) => form.axes === 'TC' || form.axes === 'TNC');
  const last = layers.at(-1);
  const weights = last
    ? nodes.filter((node) => node.op === 'Softmax' && overTokens(g, node, image, tokensOf(last)))
    : [];
  if (!last || weights.length === 0)
    throw new InputError(
      'method_not_supported',
      'the model has no self-attention over all patches, which this method needs; use a method for any network, such as grad-cam',
    );
  const sums = nodes.filter(
    (node) =>
      node.op === 'Add' &&
      node.inputs.every((input) => moving.has(input)) &&
      layers.some(({ name, shape }) => name === node.outputs[0] && shape[0] === last.shape[0]),
  );
  const blocks = weights.map((node, i) => {
    const end = weights[i + 1] ? nodes.indexOf(weights[i + 1]!) : nodes.length;
    const output = sums.findLast(
      (sum) => nodes.indexOf(sum) < end && nodes.indexOf(sum) > nodes.indexOf(node),
    );
    return { weights: node.outputs[0]!, output: output?.outputs[0] ?? last.name };
  });
  if (last.form.transposed || last.form.flipped || last.region || last.scattered)
    throw new InputError(
      'method_not_supported',
      "the model's attention sees the image mirrored, turned or cut, which this method cannot map back; use a method for any network, such as grad-cam",
    );
  const [, height, width] = last.shape as [number, number, number];
  const { prefix, suffix = 0, axes } = last.form;
  return { blocks, grid: [height, width], prefix, suffix, tokenAxis: axes === 'TNC' ? 0 : 1 };
}

const tokensOf = ({ shape, form }: Layer): number => shape[1]! * shape[2]! + form.prefix + (form.suffix ?? 0);

/** Whether the output of a Softmax is [N, heads, T, T] or [N·heads, T, T]. */
function overTokens(g: GraphBuilder, node: Node, image: Value, tokens: number): boolean {
  const shape = g.shape(node.outputs[0]!);
  const [rows] = g.shape(image) as [number];
  const heads = shape[0]! / rows;
  return (
    (shape.length === 4 ? heads === 1 : shape.length === 3 && Number.isInteger(heads)) &&
    shape.slice(-2).every((d) => d === tokens)
  );
}

/** Computes the scores that the network gives if `tokens` replaces its value `from`. */
export function readOut(g: GraphBuilder, from: Value, scores: Value, tokens: Value): Value {
  const copies = new Map([[from, tokens]]);
  const copied = (value: Value) => copies.get(value) ?? value;
  for (const node of between(g, [from], [scores]).nodes)
    g.copy(node, node.inputs.map(copied), node.outputs.length).forEach((copy, k) => {
      copies.set(node.outputs[k]!, copy);
    });
  return copied(scores);
}
