import {
  type Attribution,
  type Classifier,
  createExplainer,
  type Explainer,
  type Runtime,
  type Tensor,
} from '@whylight/core';
import { classifierOf, type RegisteredModel, type Task } from '@whylight/host';
import { type AttributionJob, targetsFor } from './attribution-jobs.ts';
import { UsageError } from './failure.ts';
import { readTensor } from './files.ts';
import { findModel, normalisationOf, readingWith } from './model.ts';
import { splitNormalisation } from './parameters.ts';

/** Explainers that are kept for the next job. */
const capacity = 4;

interface Loaded {
  readonly explainer: Explainer;
  readonly task: Task;
}

export interface TensorExplanation extends Attribution {
  readonly task: Task;
  readonly method: Explainer['method'];
  readonly layers: readonly string[];
}

/** Explains tensors from files. Models, and the last few explainers, are kept from job to job. */
export class TensorExplainer {
  readonly #runtime: Runtime;
  readonly #models = new Map<string, Promise<RegisteredModel>>();
  readonly #classifiers = new Map<string, Promise<Classifier>>();
  readonly #explainers = new Map<string, Loaded>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws InputError, UsageError */
  async explain(
    job: Omit<AttributionJob, 'out'>,
    onProgress: (completed: number, total: number) => void,
  ): Promise<TensorExplanation> {
    const batch = await readTensor(job.tensor);
    if (batch.shape.length !== 4)
      throw new UsageError(
        `${job.tensor}: expected a batch of rank 4, [N, C, H, W]; got [${batch.shape.join(', ')}]`,
      );
    const { explainer, task } = await this.#explainer(job, batch.shape.slice(1));
    const recorded = new Map<string, Tensor>();
    for (const [name, file] of Object.entries(job.aux ?? {})) recorded.set(name, await readTensor(file));
    const aux = Object.fromEntries(recorded);
    const targets = targetsFor(job.target, batch.shape[0] ?? 0);
    const attribution = await explainer.attribute(batch, targets, { aux, onProgress });
    return { ...attribution, task, method: explainer.method, layers: explainer.layers };
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#explainers.values(), ({ explainer }) => explainer.close()));
    this.#explainers.clear();
  }

  async #explainer(job: Omit<AttributionJob, 'out'>, shape: readonly number[]): Promise<Loaded> {
    const { method, convention, layers } = job;
    const key = JSON.stringify([
      job.model,
      shape,
      job.inputs,
      job.scores,
      job.score,
      method,
      convention,
      layers,
      job.params,
    ]);
    const known = this.#explainers.get(key);
    if (known) return known;
    const model = await kept(this.#models, job.model, () => findModel(job.model));
    const classifier = await kept(
      this.#classifiers,
      JSON.stringify([job.model, shape, job.inputs, job.scores]),
      async () =>
        classifierOf(model, {
          ...(await readingWith(model, { input: job.inputs ?? undefined, scores: job.scores ?? undefined })),
          inputShape: shape,
        }),
    );
    const { params, normalisation } = splitNormalisation(method, job.params ?? {}, normalisationOf(model));
    const spec = {
      method,
      convention: convention ?? undefined,
      layers: layers ?? [],
      params,
      score: job.score ?? undefined,
      normalisation,
    };
    const [oldest] = this.#explainers;
    if (oldest && this.#explainers.size >= capacity) {
      this.#explainers.delete(oldest[0]);
      await oldest[1].explainer.close();
    }
    const explainer = await createExplainer(classifier, spec, this.#runtime);
    const loaded = { explainer, task: classifier.head.task };
    this.#explainers.set(key, loaded);
    return loaded;
  }
}

/** What `make` gave for this key the first time. */
function kept<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
