import {
  type Attribution,
  type Classifier,
  createExplainer,
  type Explainer,
  type Runtime,
  type Tensor,
} from '@whylight/core';
import { type Asked, classifierOf, type RegisteredModel, readingOf, type Task } from '@whylight/host';
import { type AttributionJob, targetsFor } from './attribution-jobs.ts';
import { UsageError } from './failure.ts';
import { readTensor } from './files.ts';
import { fixedElements } from './fixed-inputs.ts';
import { findModel, normalisationOf } from './model.ts';
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
  readonly #asked: Asked;
  readonly #models = new Map<string, Promise<RegisteredModel>>();
  readonly #classifiers = new Map<string, Promise<Classifier>>();
  readonly #explainers = new Map<string, Loaded>();

  /** @param asked what is said of every model, on top of what stands beside it */
  constructor(runtime: Runtime, asked: Asked = {}) {
    this.#runtime = runtime;
    this.#asked = asked;
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
    const output = job.output_name ?? job.scores ?? undefined;
    const reading = JSON.stringify([job.model, job.inputs, output]);
    const key = JSON.stringify([reading, shape, job.score, method, convention, layers, job.params]);
    const known = this.#explainers.get(key);
    if (known) return known;
    const model = await kept(this.#models, reading, async () =>
      findModel(job.model, {
        ...this.#asked,
        ...(job.inputs && { fixed_inputs: await fixedElements(job.inputs) }),
        ...(output !== undefined && { scores: output }),
      }),
    );
    const classifier = await kept(this.#classifiers, JSON.stringify([reading, shape]), () =>
      classifierOf(model, { ...readingOf(model), inputShape: shape }),
    );
    this.#checkSize(job.tensor, classifier);
    const { params, normalisation } = splitNormalisation(
      method,
      job.params ?? {},
      normalisationOf(model, classifier),
    );
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

  /** @throws UsageError where the tensor has another size than --size says */
  #checkSize(tensor: string, { inputShape, layout }: Classifier): void {
    const size = this.#asked.parts?.size;
    const [height, width] = layout === 'NCHW' ? inputShape.slice(1) : inputShape;
    if (size && (size[0] !== height || size[1] !== width))
      throw new UsageError(
        `--size: expected ${height}x${width}, the size of ${tensor}; got ${size.join('x')}`,
      );
  }
}

/** What `make` gave for this key the first time. */
function kept<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
