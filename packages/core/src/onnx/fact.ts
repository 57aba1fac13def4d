import type { DType } from '../tensor.ts';
import type { Node } from './graph.ts';
import { shortened } from './names.ts';
import type { OperatorName } from './operator-names.ts';

/** The most elements of a value to follow; fewer for float constants, on which shapes seldom depend. */
export const followed = 2 ** 15;
export const followedFloats = 2 ** 12;

/** The facts of a value at one batch size: its type and shape, and its elements if they are few and known. */
export interface Fact {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly value?: readonly number[] | undefined;
}

/** The shape rules of operators, for a builder. */
export interface ShapeInference {
  knows(op: OperatorName): boolean;
  /**
   * Infers the facts of a known operator's outputs from the facts of its inputs; returns none if an input is unknown.
   *
   * @throws ShapeError if they contradict each other, or the node lacks inputs or attributes that its operator needs
   */
  infer(node: Node, known: (value: string) => Fact | undefined): readonly Fact[];
}

/** The shapes contradict each other: the model is wrong, or the batch size is baked into it. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(message: string) {
    super(shortened(message, longest));
  }
}

/** The longest message: sizes and texts in it come from a stranger's file. */
const longest = 600;
