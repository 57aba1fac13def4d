import { between } from '../autodiff/path.ts';
import type { Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { int, type Node } from '../onnx/graph.ts';
import type { Layer } from './layers.ts';

// Transformers that classify by a token of its own: after the last attention, the patches' tokens lead nowhere.

/** Whether all that the scores take of tokens [N, T, C] are the first `prefix` of them. */
export function seesPrefixOnly({ g, logits }: Network, tokens: Value, prefix: number): boolean {
  const users = between(g, [tokens], [logits]).nodes.filter((node) => node.inputs.includes(tokens));
  return prefix > 0 && users.every((node) => lastTaken(g, node) < prefix);
}

/** The last index along axis 1 that a node takes. */
function lastTaken(g: GraphBuilder, node: Node): number {
  const at = (i: number) => g.elements(node.inputs[i] ?? '') ?? [Number.POSITIVE_INFINITY];
  if (node.op === 'Gather' && int(node, 'axis', 0) === 1)
    return Math.max(...at(1).map((index) => (index < 0 ? Number.POSITIVE_INFINITY : index)));
  if (node.op === 'Slice' && at(3).join() === '1' && at(1)[0]! >= 0 && at(2)[0]! > 0) return at(2)[0]! - 1;
  return Number.POSITIVE_INFINITY;
}

/** The last layer as wide as `last` that everything in the last attention is made of: its normalised input. */
export function beforeLastAttention(
  { g, image, logits }: Network,
  layers: readonly Layer[],
  last: Layer,
): Layer | undefined {
  const { nodes } = between(g, [image], [logits]);
  const weights = nodes.findLast((node) => node.op === 'Softmax')?.outputs[0];
  if (weights === undefined) return undefined;
  const mixed = between(g, [weights], [logits]).nodes.find((node) => node.op === 'MatMul')?.outputs[0];
  return layers.findLast(
    ({ name, shape }) =>
      shape[0] === last.shape[0] &&
      name !== mixed &&
      mixed !== undefined &&
      passes(nodes, image, name, mixed),
  );
}

/** Whether every way from `image` to `to` passes `by`. */
function passes(nodes: readonly Node[], image: Value, by: Value, to: Value): boolean {
  const reached = new Set([image]);
  for (const node of nodes)
    if (node.inputs.some((input) => reached.has(input)))
      for (const output of node.outputs) if (output !== by) reached.add(output);
  return !reached.has(to);
}
