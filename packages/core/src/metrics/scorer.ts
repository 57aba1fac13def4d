import { InputError } from '../errors.ts';
import { filled, rowsOf, spans } from '../programs/batch.ts';
import type { Session } from '../runtime/runtime.ts';
import { row, type Tensor } from '../tensor.ts';
import { batchOf } from './pixels.ts';

/** What a metric asks of a network: images [N, …] → the explained class's score of each. */
export type Scorer = (images: Tensor<'float32'>) => Promise<ArrayLike<number>>;

export interface ScorerOptions {
  /** The class whose score counts. */
  readonly target: number;
  /** The model's own probability, as deletion, insertion and average drop want it, or the raw logit. */
  readonly score: 'probability' | 'logit';
  /** Rows that the session must be given at once, where the model has them baked in. */
  readonly batch?: number | undefined;
  /** Rows that the session is given at once, at most. */
  readonly chunk?: number;
}

/**
 * A scorer over a session of the model itself (`forwardModel`: image → logits and probabilities [N, classes]).
 *
 * @throws InputError `invalid_parameter` when probabilities are asked of a model that gives none; see `relativeScorer`
 */
export const scorerOf =
  (session: Session, { target, score, batch, chunk = batch ?? 32 }: ScorerOptions): Scorer =>
  async (images) => {
    const scores = new Float32Array(images.shape[0]!);
    for (const [start, end] of spans(scores.length, chunk)) {
      const { logits, probabilities } = await session.run({
        image: filled(rowsOf(images, start, end), batch),
      });
      const given = score === 'probability' ? probabilities : logits;
      if (!given)
        throw new InputError(
          'invalid_parameter',
          'the model gives a plain number, not a probability: this metric cannot use it',
        );
      for (let n = start; n < end; n++) scores[n] = row(given as Tensor<'float32'>, n - start).data[target]!;
    }
    return scores;
  };

/**
 * A scorer of numbers that are no probabilities, for metrics that take some: 0 where the number is that of a blank image
 * (zeros), 1 where it is that of the image.
 */
export async function relativeScorer(score: Scorer, image: Tensor<'float32'>): Promise<Scorer> {
  const [blank, whole] = (await score(
    batchOf(image, 2, (row, n) => {
      if (n === 1) row.set(image.data);
    }),
  )) as [number, number];
  return async (images) => Float64Array.from(await score(images), (v) => (v - blank) / (whole - blank));
}
