import type { Session } from '../runtime/runtime.ts';
import { softmax } from '../softmax.ts';
import { row, sizeOf, type Tensor, tensor } from '../tensor.ts';

/** What a metric asks of a network: images [N, …] → the explained class's score of each. */
export type Scorer = (images: Tensor<'float32'>) => Promise<ArrayLike<number>>;

export interface ScorerOptions {
  /** The class whose score counts. */
  readonly target: number;
  /** Softmax probability, as deletion, insertion and average drop want it, or the raw logit. */
  readonly score: 'probability' | 'logit';
  /** Rows that the session is given at once. */
  readonly chunk?: number;
}

/** A scorer over a session of the model itself (`forwardModel`: image → logits [N, classes]). */
export const scorerOf =
  (session: Session, { target, score, chunk = 32 }: ScorerOptions): Scorer =>
  async (images) => {
    const rows = images.shape[0]!;
    const scores = new Float32Array(rows);
    for (let start = 0; start < rows; start += chunk) {
      const part = rowsOf(images, start, Math.min(start + chunk, rows));
      const { logits } = await session.run({ image: part });
      for (let n = 0; n < part.shape[0]!; n++) {
        const given = row(logits as Tensor<'float32'>, n).data;
        scores[start + n] = (score === 'probability' ? softmax(given) : given)[target]!;
      }
    }
    return scores;
  };

/** Rows `start` to `end` of a batch; shares memory. */
function rowsOf(batch: Tensor<'float32'>, start: number, end: number): Tensor<'float32'> {
  const [, ...shape] = batch.shape;
  const size = sizeOf(shape);
  return tensor('float32', [end - start, ...shape], batch.data.subarray(start * size, end * size));
}
