import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Attributes, Node } from '../../onnx/graph.ts';
import type { OperatorName } from '../../onnx/operator-names.ts';

/** A function that several nodes compute together. */
export interface Found {
  readonly op: OperatorName;
  /** What it is a function of, then its parameters. */
  readonly inputs: readonly Value[];
  readonly attributes?: Attributes;
  /** Values inside that a derivative can use, by what they are. */
  readonly parts?: Readonly<Record<string, Value>>;
  /** Values that only repeat others along axes, which broadcasting does as well. */
  readonly repeated?: ReadonlyMap<Value, Value>;
}

/**
 * The function whose last node this is, if it is exactly that: the same axes, and constants as close to the right ones
 * as `precision` (relative) says. Who else uses the values inside is none of a recogniser's business.
 */
export type Recogniser = (g: GraphBuilder, node: Node, precision: number) => Found | undefined;
