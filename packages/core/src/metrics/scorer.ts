import { InputError } from '../errors.ts';
import { filled, rowsOf, spans } from '../programs/batch.ts';
import type { Session } from '../runtime/runtime.ts';
import { row, type Tensor } from '../tensor.ts';
import { batchOf } from './pixels.ts';

/** The function of a network that metrics use: images [N, …] → the score of the explained class for each. */
export type Scorer = (images: Tensor<'float32'>) => Promise<ArrayLike<number>>;

export interface ScorerOptions {
  /** The class whose score counts. */
  readonly target: number;
  /** The model's own probability, which deletion, insertion and average drop need, or the raw logit. */
  readonly score: 'probability' | 'logit';
  /** The number of rows that each call of the session must have, if the model has it baked in. */
  readonly batch?: number | undefined;
  /** The most rows that the session gets in one call. */
  readonly chunk?: number;
}

/**
 * Makes a scorer over a session of the model itself (`forwardModel`: image → logits and probabilities [N, classes]).
 *
 * @throws InputError `invalid_parameter` if probabilities are asked of a model without them; see `relativeScorer`
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
 * Makes a scorer from numbers that are not probabilities, for metrics that need probabilities: 0 is the number of a
 * blank image (zeros), 1 is that of the image.
 */
export async function relativeScorer(score: Scorer, image: Tensor<'float32'>): Promise<Scorer> {
  const [blank, whole] = (await score(
    batchOf(image, 2, (row, n) => {
      if (n === 1) row.set(image.data);
    }),
  )) as [number, number];
  return async (images) => Float64Array.from(await score(images), (v) => (v - blank) / (whole - blank));
}
