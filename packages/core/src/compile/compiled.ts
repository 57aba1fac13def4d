import type { Graph, ValueInfo } from '../onnx/graph.ts';

/** An explainer as a graph, and the types of its outputs. */
export interface Compiled {
  readonly graph: Graph;
  readonly outputs: readonly ValueInfo[];
}
