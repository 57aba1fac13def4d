import type { Constants, Graph, Node } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';

/**
 * The lowest opset from 18 on in which a graph says the same. Execution providers have kernels for versions of an operator,
 * and often none for its newest, even where that differs in the types it takes and in nothing else: a network of opset 22
 * loses the CUDA kernels of its pools, written at 18 it has them.
 */
export const lowestOpset = ({
  opset,
  nodes,
  constants,
}: Pick<Graph, 'opset' | 'nodes' | 'constants'>): number =>
  Math.min(opset, Math.max(18, ...nodes.map((node) => sinceOf(node, constants) ?? opset)));

function sinceOf(node: Node, constants: Constants): number | null {
  const { since } = operators[node.op];
  return typeof since === 'function' ? since(node, constants) : since;
}
