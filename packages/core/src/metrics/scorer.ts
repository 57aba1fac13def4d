import { filled, rowsOf, spans } from '../run/batch.ts';
import type { Session } from '../runtime/runtime.ts';
import { softmax } from '../softmax.ts';
import { row, type Tensor } from '../tensor.ts';

/** What a metric asks of a network: images [N, …] → the explained class's score of each. */
export type Scorer = (images: Tensor<'float32'>) => Promise<ArrayLike<number>>;

export interface ScorerOptions {
  /** The class whose score counts. */
  readonly target: number;
  /** Softmax probability, as deletion, insertion and average drop want it, or the raw logit. */
  readonly score: 'probability' | 'logit';
  /** Rows that the session must be given at once, where the model has them baked in. */
  readonly batch?: number | undefined;
  /** Rows that the session is given at once, at most. */
  readonly chunk?: number;
}

/** A scorer over a session of the model itself (`forwardModel`: image → logits [N, classes]). */
export const scorerOf =
  (session: Session, { target, score, batch, chunk = batch ?? 32 }: ScorerOptions): Scorer =>
  async (images) => {
    const scores = new Float32Array(images.shape[0]!);
    for (const [start, end] of spans(scores.length, chunk)) {
      const { logits } = await session.run({ image: filled(rowsOf(images, start, end), batch) });
      for (let n = start; n < end; n++) {
        const given = row(logits as Tensor<'float32'>, n - start).data;
        scores[n] = (score === 'probability' ? softmax(given) : given)[target]!;
      }
    }
    return scores;
  };
