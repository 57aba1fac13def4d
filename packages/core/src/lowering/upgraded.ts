import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';

/**
 * What becomes of one node of the file: nodes of the canonical dialect, a value that its first output equals, or other
 * nodes that the file might have had in its place, whose values can be looked at and replaced one by one.
 */
export type Upgraded =
  | { readonly nodes: readonly Node[] }
  | { readonly alias: Value }
  | { readonly parts: readonly Node[] };

/** How nodes of one operator are raised from the file's opset. */
export type Upgrade = (g: GraphBuilder, node: Node, opset: number) => Upgraded;

export const keep = (node: Node): Upgraded => ({ nodes: [node] });
