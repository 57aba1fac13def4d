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
  /** What the body is given a chunk of, by its inputs; none where the body runs once. */
  readonly samples: ReadonlyMap<Value, Tensor | Made>;
  /** Samples that each turn takes; open if not said. */
  readonly together: number | undefined;
  /** What the body gives, and the value of the graph around it that is the sum, or the last state. */
  readonly results: readonly { readonly inside: Value; readonly outside: Value }[];
  /** What one turn leaves to the next: the body's inputs, in the order of the results, and their first values outside. */
  readonly states: readonly { readonly input: Value; readonly first: Value }[] | undefined;
}

/** How many samples a loop has; 1 where its body runs once. */
export const samplesOf = ({ samples }: Loop): number => {
  for (const { shape } of samples.values()) return shape[0]!;
  return 1;
};
