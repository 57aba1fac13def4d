import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Expression } from '../onnx/expression.ts';
import type { Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import type { RuleContext } from '../operators/vjp/rule.ts';

/** A function that several operators compute together, and its derivative. */
export interface Composition {
  /** The inputs of the function. */
  readonly xs: readonly Value[];
  /** The operators before the last. */
  readonly inner: readonly Node[];
  /** The cotangents of `xs`; the context is that of the last operator. */
  vjp(c: RuleContext): readonly Expression[];
}

/** Finds the function that a node is the last operator of, if there is such a function. */
export type Composite = (g: GraphBuilder, node: Node) => Composition | undefined;
export type Composites = Readonly<Partial<Record<OperatorName, readonly Composite[]>>>;
