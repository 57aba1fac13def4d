import { OutOfMemoryError, type Runtime } from '@whylight/core';
import type { Sides } from '@whylight/core/image';
import { createPlan, type ExplainerQuestion, type Plan } from '@whylight/core/preparation';
import type { RegisteredModel } from '../models/registered-model.ts';
import { Batcher, type BatchSettings } from '../scheduling/batcher.ts';
import { runAs } from '../scheduling/fair-runtime.ts';
import { LeaseCache } from '../scheduling/lease-cache.ts';

export interface ExplainerCacheOptions {
  /** Compiled explainers that are kept. */
  readonly capacity?: number | undefined;
  /** Most bytes of all graphs of the explainers that are kept. */
  readonly budget?: number | undefined;
  readonly batch?: BatchSettings | undefined;
}

/** An explainer that is ready for images, and the batcher that joins images of many requests for it. */
export type LoadedExplainer = Plan & { readonly batcher: Batcher };

/** The data that determines an explainer, and the owner for whom the device makes it. */
export interface ExplainerWish {
  readonly model: RegisteredModel;
  readonly question: ExplainerQuestion;
  /** Sides of the images, if they are not the network's own. */
  readonly sides: Sides | undefined;
  readonly owner: string;
}

const alone: BatchSettings = { most: 1, delay: 0 };

/** Compiled explainers, which are kept for the next image. */
export class ExplainerCache {
  readonly #runtime: Runtime;
  readonly #batch: BatchSettings;
  readonly #explainers: LeaseCache<LoadedExplainer>;

  constructor(runtime: Runtime, { capacity = 8, budget, batch = alone }: ExplainerCacheOptions = {}) {
    this.#runtime = runtime;
    this.#batch = batch;
    this.#explainers = new LeaseCache({ capacity, budget, size: ({ bytes }) => bytes });
  }

  /** Runs `work` with the explainer. @throws InputError, and what `work` throws */
  async use<T>(
    { model, question, sides, owner }: ExplainerWish,
    work: (loaded: LoadedExplainer) => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([model.digest, model.preprocessingDigest, question, sides ?? null]);
    const make = () =>
      runAs(owner, async () => {
        const plan = await createPlan(model, question, sides, this.#runtime);
        return { ...plan, batcher: new Batcher(plan.explainer, this.#batch, key) };
      });
    return this.#explainers.use(key, make, work).catch(async (error: unknown) => {
      // Forgetting the explainer frees its memory, which the device needs now.
      if (error instanceof OutOfMemoryError) await this.#explainers.forget(key);
      throw error;
    });
  }

  async close(): Promise<void> {
    await this.#explainers.close();
  }
}
