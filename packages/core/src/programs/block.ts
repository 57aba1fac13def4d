import type { Made } from '../methods/method.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Tensor } from '../tensor.ts';

/** A graph with the loops in it, in order: a whole program, or the body of one of its loops. */
export interface Block {
  readonly g: GraphBuilder;
  readonly loops: Loop[];
}

/** A body that runs for samples, chunk by chunk, and whose results add up. Values are named as in their graphs. */
export interface Loop {
  readonly body: Block;
  /** The samples of which the body gets a chunk, by its inputs; empty if the body runs once. */
  readonly samples: ReadonlyMap<Value, Tensor | Made>;
  /** The number of samples that each iteration takes; open if `undefined`. */
  readonly together: number | undefined;
  /** The body's results, and the values of the graph around it that are their sums, or the last states. */
  readonly results: readonly { readonly inside: Value; readonly outside: Value }[];
  /** States handed from iteration to iteration: body inputs in the order of the results, and first values outside. */
  readonly states: readonly { readonly input: Value; readonly first: Value }[] | undefined;
}

/** Counts the samples of a loop; 1 if its body runs once. */
export const samplesOf = ({ samples }: Loop): number => {
  for (const { shape } of samples.values()) return shape[0]!;
  return 1;
};
