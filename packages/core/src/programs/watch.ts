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

/** Reports the progress of all images together, and the state of a single image. */
export function watching(
  { loops }: Cut,
  images: number,
  { signal, onProgress, onState, state, samples = Number.POSITIVE_INFINITY }: AttributeOptions,
) {
  const counts = loops.map(({ loop }) => (loop.samples.size > 0 ? Math.min(samplesOf(loop), samples) : 0));
  const total = counts.reduce((a, b) => a + b, 0);
  const before = (loop: number) => counts.slice(0, loop).reduce((a, b) => a + b, 0);
  const resumed = state && images === 1 ? resumedFrom(state, loops) : undefined;
  return {
    watch(image: number): Watch {
      const done = new Map<string, Tensor>();
      return {
        signal,
        samples,
        ...(resumed && { resumed }),
        onChunk(loop, end, sums) {
          if (counts[loop]! > 0) onProgress?.(image * total + before(loop) + end, images * total);
          if (!onState || images !== 1) return;
          // Copies, because the sums are updated in place.
          for (const [name, tensor] of sums)
            done.set(name, { ...tensor, data: tensor.data.slice() } as Tensor);
          onState({ loop, done: end, sums: Object.fromEntries(done) });
        },
      };
    },
  };
}

/** Gives the start of each loop: loops before the one of the state are done. */
const resumedFrom =
  ({ loop, done, sums }: LoopState, loops: Cut['loops']) =>
  (place: number) => {
    if (place > loop) return undefined;
    const { results } = loops[place]!.loop;
    const own: Values = new Map(results.map(({ outside }) => [outside, getOwn(sums, outside)!]));
    return { done: place < loop ? samplesOf(loops[place]!.loop) : done, sums: own };
  };
