import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';

/**
 * The replacement of one node of the file: nodes of the canonical dialect, a value that its first output equals, or
 * other nodes that the file might have had in its place, whose values can be read and replaced one by one.
 */
export type Upgraded =
  | { readonly nodes: readonly Node[] }
  | { readonly alias: Value }
  | { readonly parts: readonly Node[] };

/** A function that raises nodes of one operator from the file's opset. */
export type Upgrade = (g: GraphBuilder, node: Node, opset: number) => Upgraded;

export const keep = (node: Node): Upgraded => ({ nodes: [node] });
