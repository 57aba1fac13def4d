import {
  type Attribution,
  type Explainer,
  float32,
  row,
  stacked,
  type Target,
  type Tensor,
} from '@whylight/core';
import { DeviceError } from '../runtime/runtime.ts';
import { runAs } from './fair-runtime.ts';

export interface BatchSettings {
  /** The most images in one batch; 1 means no batching. */
  readonly most: number;
  /** Milliseconds that the first image waits for others while the device is idle. */
  readonly delay: number;
  /** Called with the size of every batch. */
  readonly onBatch?: ((size: number) => void) | undefined;
}

/** The explanation of one image (its first dimension is 1), and how many images the same run computed. */
export interface BatchedAttribution extends Attribution {
  readonly batchSize: number;
}

interface Waiting {
  readonly input: Tensor<'float32'>;
  readonly target: Target;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (attribution: BatchedAttribution) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Explains images of several callers in one run of the explainer. While a batch runs, the next batch fills. Each caller gets
 * its own row and nothing else. An image that cannot be computed fails alone, a canceled one is dropped, and neither changes
 * the results of the others.
 */
export class Batcher {
  readonly #explainer: Explainer;
  readonly #settings: BatchSettings;
  /** A batch serves many owners, so the batches have their own owner. */
  readonly #owner: string;
  #waiting: Waiting[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(explainer: Explainer, settings: BatchSettings, owner: string) {
    this.#explainer = explainer;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Explains `input` [1, …]. @throws the signal's reason once it is aborted; whatever the explainer throws */
  attribute(input: Tensor<'float32'>, target: Target, signal?: AbortSignal): Promise<BatchedAttribution> {
    let stop = () => {};
    const answered = new Promise<BatchedAttribution>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      stop = () => reject(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      this.#waiting.push({ input, target, signal, resolve, reject });
      this.#gather();
    });
    // A signal may live much longer than the answer, and would keep the image in memory.
    return answered.finally(() => signal?.removeEventListener('abort', stop));
  }

  #gather(): void {
    if (this.#running) return;
    if (this.#waiting.length >= this.#settings.most) return void this.#run();
    this.#timer ??= setTimeout(() => void this.#run(), this.#settings.delay);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const wanted = this.#waiting.filter(({ signal }) => !signal?.aborted);
    const batch = wanted.slice(0, this.#settings.most);
    this.#waiting = wanted.slice(this.#settings.most);
    if (batch.length === 0) return;
    this.#running = true;
    await runAs(this.#owner, () => this.#explain(batch));
    this.#running = false;
    // Images that arrived while the batch ran do not wait again.
    if (this.#waiting.length > 0) void this.#run();
  }

  async #explain(batch: readonly Waiting[]): Promise<void> {
    this.#settings.onBatch?.(batch.length);
    try {
      const answer = await this.#explainer.attribute(
        stacked(batch.map(({ input }) => input)),
        batch.map(({ target }) => target),
      );
      for (const [n, { resolve }] of batch.entries())
        resolve({ ...this.#rowOf(answer, n), batchSize: batch.length });
    } catch (error) {
      if (batch.length === 1 || error instanceof DeviceError) for (const { reject } of batch) reject(error);
      // Computing each image alone shows which one failed.
      else for (const one of batch) await this.#explain([one]);
    }
  }

  #rowOf(
    {
      attribution,
      logits,
      scores,
      probabilities,
      targets,
      convergenceDelta,
      pixels,
      scale,
      rowWarnings,
    }: Attribution,
    n: number,
  ): Attribution {
    const own = ownRow(attribution, n);
    return {
      attribution: own,
      logits: ownRow(logits, n),
      scores: ownRow(scores, n),
      probabilities: probabilities && ownRow(probabilities, n),
      targets: [targets[n]!],
      convergenceDelta: convergenceDelta && [convergenceDelta[n]!],
      pixels: pixels && ownRow(pixels, n),
      scale: scale && [scale[n]!],
      rowWarnings: [rowWarnings[n]!],
      warnings: [...this.#explainer.notes, ...rowWarnings[n]!],
    };
  }
}

/** Copies row `n`, because the memory beside it belongs to other callers. */
function ownRow(batch: Tensor<'float32'>, n: number): Tensor<'float32'> {
  const { shape, data } = row(batch, n);
  return float32(shape, data.slice());
}
