import type { Constants, Graph, Node } from '../onnx/graph.ts';
import { operators } from '../operators/table.ts';

/**
 * Finds the lowest opset from 18 on in which a graph means the same. Execution providers have kernels for versions of
 * an operator, often not for its newest, even if that differs only in the types it takes: a network of opset 22 loses
 * the CUDA kernels of its pools, but has them if it is written at 18.
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
