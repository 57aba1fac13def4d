import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Node } from '../onnx/graph.ts';

/** What becomes of one node of the file: nodes of the canonical dialect, or a value that its first output equals. */
export type Upgraded = { readonly nodes: readonly Node[] } | { readonly alias: Value };

/** How nodes of one operator are raised from the file's opset. */
export type Upgrade = (g: GraphBuilder, node: Node, opset: number) => Upgraded;

export const keep = (node: Node): Upgraded => ({ nodes: [node] });
