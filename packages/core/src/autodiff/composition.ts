import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Expression } from '../onnx/expression.ts';
import type { Node } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import type { RuleContext } from '../operators/vjp/rule.ts';

/** A function that several operators spell out, and its derivative. */
export interface Composition {
  /** What it is a function of. */
  readonly xs: readonly Value[];
  /** Those of the operators that come before the last. */
  readonly inner: readonly Node[];
  /** The cotangents of `xs`; the context is that of the last operator. */
  vjp(c: RuleContext): readonly Expression[];
}

/** The function that a node ends, if it does. */
export type Composite = (g: GraphBuilder, node: Node) => Composition | undefined;
export type Composites = Readonly<Partial<Record<OperatorName, readonly Composite[]>>>;
