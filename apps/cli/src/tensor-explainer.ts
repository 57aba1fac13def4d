import type { ResultTask } from '@whylight/contract';
import {
  type Attribution,
  type Classifier,
  createExplainer,
  type Explainer,
  type Runtime,
  type ScoreSpec,
  type Tensor,
} from '@whylight/core';
import { resolveQuestion } from '@whylight/core/methods';
import { type Asked, classifierOf, type RegisteredModel, readingOf } from '@whylight/host';
import { type AttributionJob, targetsFor } from './attribution-jobs.ts';
import { UsageError } from './failure.ts';
import { readTensor } from './files.ts';
import { fixedElements } from './fixed-inputs.ts';
import { findModel, normalisationOf } from './model.ts';
import { splitNormalisation } from './parameters.ts';
import { explainedBy, readRegion, regionsOfInput } from './regions.ts';
import { kindOf } from './scores.ts';

/** Explainers that are kept for the next job. */
const capacity = 4;

interface Loaded {
  readonly explainer: Explainer;
  readonly classifier: Classifier;
  readonly task: ResultTask;
}

export interface TensorExplanation extends Attribution {
  readonly task: ResultTask;
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
    const batch = await this.#batch(job);
    const { explainer, classifier, task } = await this.#explainer(job, batch.shape.slice(1));
    const recorded = new Map<string, Tensor>();
    for (const [name, file] of Object.entries(job.aux ?? {})) recorded.set(name, await readTensor(file));
    const aux = Object.fromEntries(recorded);
    const targets = targetsFor(job.target, batch.shape[0] ?? 0);
    const regions = await regionsFor(job, classifier, targets.length);
    const attribution = await explainer.attribute(batch, targets, { aux, onProgress, regions });
    return { ...attribution, task, method: explainer.method, layers: explainer.layers };
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#explainers.values(), ({ explainer }) => explainer.close()));
    this.#explainers.clear();
  }

  /** The images of a file as the engine takes them. @throws InputError, UsageError */
  async #batch(job: Omit<AttributionJob, 'out'>): Promise<Tensor<'float32'>> {
    const given = await readTensor(job.tensor);
    const { shape } = given;
    if (shape.length === 4) return asFloats(given, shape);
    const refused = new UsageError(
      `${job.tensor}: expected a batch of rank 4, [N, C, H, W]; got [${shape.join(', ')}]`,
    );
    if (shape.length !== 3) throw refused;
    // A network without channels takes [N, H, W], one without a batch [C, H, W].
    const { input, inputShape } = await classifierOf(await this.#model(job));
    if (input.shape.length !== 3) throw refused;
    const isOne = shape.join() === inputShape.join();
    return asFloats(given, isOne ? [1, ...shape] : [shape[0]!, 1, shape[1]!, shape[2]!]);
  }

  #model(job: Omit<AttributionJob, 'out'>): Promise<RegisteredModel> {
    const output = job.output_name ?? job.scores ?? undefined;
    return kept(this.#models, JSON.stringify([job.model, job.inputs, output, specOf(job)]), async () =>
      findModel(job.model, {
        ...this.#asked,
        ...(job.inputs && { fixed_inputs: await fixedElements(job.inputs) }),
        ...(output !== undefined && { scores: output }),
        score: specOf(job),
      }),
    );
  }

  async #explainer(job: Omit<AttributionJob, 'out'>, shape: readonly number[]): Promise<Loaded> {
    const { method, convention, layers, score } = job;
    const output = job.output_name ?? job.scores ?? undefined;
    const reading = JSON.stringify([job.model, job.inputs, output, score, specOf(job)]);
    const key = JSON.stringify([reading, shape, score, method, convention, layers, job.parameters]);
    const known = this.#explainers.get(key);
    if (known) return known;
    const model = await this.#model(job);
    const classifier = await kept(this.#classifiers, JSON.stringify([reading, shape]), () =>
      classifierOf(model, { ...readingOf(model), inputShape: shape }),
    );
    this.#checkSize(job.tensor, classifier);
    const { parameters, normalisation } = splitNormalisation(
      method,
      job.parameters ?? {},
      normalisationOf(model, classifier),
    );
    const question = resolveQuestion({
      method,
      convention: convention ?? undefined,
      parameters,
      layers: layers ?? [],
      score: kindOf(score),
    });
    const [oldest] = this.#explainers;
    if (oldest && this.#explainers.size >= capacity) {
      this.#explainers.delete(oldest[0]);
      await oldest[1].explainer.close();
    }
    const explainer = await createExplainer(classifier, { ...question, normalisation }, this.#runtime);
    const task = classifier.pixels ? ('segmentation' as const) : classifier.head.task;
    const loaded = { explainer, classifier, task };
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

/** What a job explains in place of a class. @throws UsageError */
const specOf = ({ score, region, over }: Omit<AttributionJob, 'out'>): ScoreSpec | undefined =>
  explainedBy({ score, ...(region && { region }), ...(over && { over }) });

/** The job's region, of each image. @throws UsageError, InputError */
async function regionsFor(
  { region }: Omit<AttributionJob, 'out'>,
  { pixels, inputShape, layout }: Classifier,
  count: number,
): Promise<Tensor<'float32'> | undefined> {
  if (!region || !pixels) return undefined;
  const [height, width] = (layout === 'NCHW' ? inputShape.slice(1) : inputShape) as [number, number];
  return regionsOfInput(await readRegion(region), count, { height, width }, pixels);
}

/** Numbers of any type as float32, which holds every level of a photo. */
function asFloats({ dtype, data }: Tensor, shape: readonly number[]): Tensor<'float32'> {
  const numbers = dtype === 'float32' ? data : Float32Array.from(data as Iterable<number | bigint>, Number);
  return { dtype: 'float32', shape, data: numbers as Float32Array<ArrayBuffer> };
}

/** What `make` gave for this key the first time. */
function kept<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
