import type { DType } from '../tensor.ts';
import type { Node } from './graph.ts';
import { shortened } from './names.ts';
import type { OperatorName } from './operator-names.ts';

/** Elements of values that have more are not followed; of float constants, which shapes seldom depend on, fewer. */
export const followed = 2 ** 15;
export const followedFloats = 2 ** 12;

/** What is known of a value at one batch size: its type and shape, and its elements where they are few and known. */
export interface Fact {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly value?: readonly number[] | undefined;
}

/** What operators do to shapes, for a builder to follow. */
export interface ShapeInference {
  knows(op: OperatorName): boolean;
  /**
   * Facts of the outputs of a node whose operator is known, from those of its inputs; none where an input is unknown.
   *
   * @throws ShapeError when they contradict each other, or the node lacks what its operator needs
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

/** Of a message: sizes and texts in it come from a stranger's file. */
const longest = 600;
