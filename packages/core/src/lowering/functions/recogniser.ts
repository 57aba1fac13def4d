import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Attributes, Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';

/** A function that several nodes compute together. */
export interface Found {
  readonly op: OperatorName;
  /** The function's argument, then its parameters. */
  readonly inputs: readonly Value[];
  readonly attributes?: Attributes;
  /** Values inside that a derivative can use, by their roles. */
  readonly parts?: Readonly<Record<string, Value>>;
  /** Values that only repeat other values along axes, as broadcasting also does. */
  readonly repeated?: ReadonlyMap<Value, Value>;
}

/**
 * Finds the function of which `node` is the last, if it matches exactly: the same axes, and constants within
 * `precision` (relative) of the right ones. A recogniser ignores other users of the values inside.
 */
export type Recogniser = (g: GraphBuilder, node: Node, precision: number) => Found | undefined;
