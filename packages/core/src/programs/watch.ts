import type { Value } from '../onnx/builder.ts';
import { getOwn } from '../own.ts';
import type { Tensor } from '../tensor.ts';
import { samplesOf } from './block.ts';
import type { Cut } from './cut.ts';
import type { AttributeOptions, LoopState } from './outcome.ts';

/** Values of a block that are computed already. */
export type Values = ReadonlyMap<Value, Tensor>;

/** The observer of a run. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  /** Most samples of a loop that are evaluated. */
  readonly samples: number;
  /** Is called after each chunk of a loop of the program itself, not of an inner loop. */
  onChunk?(loop: number, done: number, sums: Values): void;
  /** Gives the sample at which a loop begins, and the sums up to there. */
  resumed?(loop: number): { readonly done: number; readonly sums: Values } | undefined;
}

/**
 * Reports the progress of all images together, and the state of a single image.
 *
 * @param chunks gives how many samples each loop takes at a time at present
 */
export function watching(
  { loops }: Cut,
  chunks: () => readonly number[],
  images: number,
  { signal, onProgress, onState, state, samples = Number.POSITIVE_INFINITY }: AttributeOptions,
) {
  const counts = loops.map(({ loop }) => (loop.samples.size > 0 ? Math.min(samplesOf(loop), samples) : 0));
  const total = counts.reduce((a, b) => a + b, 0);
  const before = (loop: number) => counts.slice(0, loop).reduce((a, b) => a + b, 0);
  const isUsable = state && images === 1 && suits(state, loops, chunks());
  if (isUsable) onProgress?.(state.completed, state.total);
  return {
    watch(image: number): Watch {
      const known = isUsable ? Object.entries(state.sums) : [];
      const done = new Map<string, Tensor>(known.map(([name, tensor]) => [name, copyOf(tensor)]));
      return {
        signal,
        samples,
        ...(isUsable && { resumed: resumedFrom(state, loops) }),
        onChunk(loop, end, sums) {
          const completed = before(loop) + (counts[loop]! > 0 ? end : 0);
          if (counts[loop]! > 0) onProgress?.(image * total + completed, images * total);
          if (!onState || images !== 1) return;
          // Copies, because the sums are updated in place.
          for (const [name, tensor] of sums) done.set(name, copyOf(tensor));
          onState({ loop, done: end, sums: Object.fromEntries(done), chunks: chunks(), completed, total });
        },
      };
    },
  };
}

const copyOf = (tensor: Tensor): Tensor => ({ ...tensor, data: tensor.data.slice() }) as Tensor;

/** Whether the state is of a program with these loops that takes its samples in these chunks. */
const suits = (state: LoopState, loops: Cut['loops'], chunks: readonly number[]): boolean =>
  state.loop < loops.length &&
  state.done <= samplesOf(loops[state.loop]!.loop) &&
  state.chunks.join() === chunks.join() &&
  loops
    .slice(0, state.loop + 1)
    .every(({ loop }) => loop.results.every(({ outside }) => getOwn(state.sums, outside) !== undefined));

/** Gives the start of each loop: loops before the one of the state are done. */
const resumedFrom =
  ({ loop, done, sums }: LoopState, loops: Cut['loops']) =>
  (place: number) => {
    if (place > loop) return undefined;
    const { results } = loops[place]!.loop;
    // Copies, because the run adds to them in place.
    const own: Values = new Map(results.map(({ outside }) => [outside, copyOf(getOwn(sums, outside)!)]));
    return { done: place < loop ? samplesOf(loops[place]!.loop) : done, sums: own };
  };
