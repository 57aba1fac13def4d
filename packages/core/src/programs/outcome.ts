import { getOwn } from '../own.ts';
import { classOf, type Target, weightsOf } from '../targets.ts';
import { row, type Tensor } from '../tensor.ts';
import { concatenated, rowsOf } from './batch.ts';
import type { Output } from './trace.ts';

/** How far the explanation of one image has come: what its loops have added up. */
export interface LoopState {
  /** The loop that is running, of those that follow one another. */
  readonly loop: number;
  /** Samples of it that are done. */
  readonly done: number;
  /** What this loop and those before it have given so far, by name. */
  readonly sums: Readonly<Record<string, Tensor>>;
  /**
   * How many samples each loop takes at a time, inner loops included. A run with other chunks would add in another order,
   * and its last digits would differ.
   */
  readonly chunks: readonly number[];
  /** Samples of all loops together that are done, and that there are, as `onProgress` gets them. */
  readonly completed: number;
  readonly total: number;
}

export interface AttributeOptions {
  /**
   * Of a score over a region, how much each pixel of the maps counts, [N, H, W]; -1: one where the model predicts the
   * class, and nothing elsewhere. If not said, all are -1.
   */
  readonly regions?: Tensor<'float32'> | undefined;
  /** Recorded samples to replay instead of making them, by name. */
  readonly aux?: Readonly<Record<string, Tensor>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Samples (or images, for methods that evaluate each image once) done and to do. */
  readonly onProgress?: ((completed: number, total: number) => void) | undefined;
  /** Told after each chunk of samples of a single image, so that another run can go on from there. */
  readonly onState?: ((state: LoopState) => void) | undefined;
  /**
   * Goes on from a state of the same question about the same image, and reports its progress at once. Starts from the
   * beginning if the state is of another program, or if this run has other chunks.
   */
  readonly state?: LoopState | undefined;
  /**
   * Evaluates only the first so many samples of a sampled method. Every graph runs as it would, which shows whether the
   * method works; what comes out is no attribution.
   */
  readonly samples?: number | undefined;
}

export interface Outcome {
  readonly attribution: Tensor<'float32'>;
  /** What is explained unless another score is asked for, [N, classes]: scores before the last squashing function. */
  readonly logits: Tensor<'float32'>;
  /** The scores that are explained, of the kind that was asked for, [N, classes]. */
  readonly scores: Tensor<'float32'>;
  /** The model's own probabilities, [N, classes]; `null` where its output is none. */
  readonly probabilities: Tensor<'float32'> | null;
  /** The class explained, per image, with what -1 stood for; of a sum of classes the first. */
  readonly targets: readonly number[];
  /** Σ attribution - (F(x) - F(x')) per image, of methods that share this difference out. */
  readonly convergenceDelta: readonly number[] | null;
  /** At how many pixels of a region each class is predicted, [N, classes]. */
  readonly pixels: Tensor<'float32'> | null;
  /** Of maps that were min-maxed, how far the highest value lay above the lowest before, per image. */
  readonly scale: readonly number[] | null;
}

/** A method's graphs, loaded. */
export interface Run {
  attribute(
    batch: Tensor<'float32'>,
    targets: readonly Target[],
    options: AttributeOptions,
  ): Promise<Outcome>;
  close(): Promise<void>;
}

/** What the runs of a program gave, of all images together. */
export function outcomeOf(
  parts: readonly Readonly<Record<string, Tensor>>[],
  targets: readonly Target[],
  classes: number,
): Outcome {
  const has = (name: Output) => getOwn(parts[0]!, name) !== undefined;
  const whole = (name: Output) =>
    rowsOf(concatenated(parts.map((part) => getOwn(part, name)!)), 0, targets.length);
  const leading = parts.flatMap(({ target }) => Array.from(target!.data as BigInt64Array, Number));
  const [attribution, logits] = [whole('attribution'), whole('logits')];
  const scores = has('scores') ? whole('scores') : logits;
  /** Σ shares - (F(image) - F(baseline)), of each image. */
  const delta = (shares: Tensor, reference: number, n: number): number => {
    const weights = weightsOf(targets[n]!, classes, leading[n]!);
    const score = row(scores, n).data.reduce((sum, v, c) => sum + v * weights[c]!, 0);
    return (row(shares, n).data as Float32Array).reduce((a, b) => a + b, 0) - (score - reference);
  };
  const references = has('reference') ? [...whole('reference').data] : null;
  const shares = references && whole('shares');
  return {
    attribution,
    logits,
    scores,
    probabilities: has('probabilities') ? whole('probabilities') : null,
    targets: targets.map((asked, n) => classOf(asked, leading[n]!)),
    convergenceDelta: references?.map((reference, n) => delta(shares!, reference, n)) ?? null,
    pixels: has('pixels') ? whole('pixels') : null,
    scale: has('scale') ? Array.from(whole('scale').data) : null,
  };
}
