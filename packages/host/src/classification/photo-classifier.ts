import { forwardGraph, InputError, type Runtime, type Tensor, type Warning } from '@whylight/core';
import { type Preprocessing, preprocess, type Region } from '@whylight/core/image';
import { decodeImage } from '../codec/decode.ts';
import { type ClassNames, classNames } from '../models/class-names.ts';
import { classifierOf } from '../models/classifier.ts';
import { readingOf } from '../models/manifest.ts';
import { assumedWarning, inputShapeOf, preprocessingFor } from '../models/preprocessing.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { LeaseCache } from '../scheduling/lease-cache.ts';
import { doubts, highest, type Outputs, type Prediction, predictionsOf, type Task } from './predictions.ts';

export interface Classification {
  /** The likeliest first, or the one that scores highest. */
  readonly predictions: Prediction[];
  readonly region: Region;
  readonly image: { readonly width: number; readonly height: number };
  readonly task: Task;
  readonly warnings: Warning[];
}

interface Network {
  readonly preprocessing: Preprocessing;
  readonly task: Task;
  readonly names: ClassNames;
  outputs(image: Tensor<'float32'>): Promise<Outputs>;
  close(): Promise<void>;
}

/** Says what photos show, without a reason. Networks are kept for the next photo. */
export class PhotoClassifier {
  readonly #runtime: Runtime;
  readonly #registry: ModelRegistry;
  readonly #networks: LeaseCache<Network>;

  constructor(runtime: Runtime, registry: ModelRegistry, { capacity = 4 }: { capacity?: number } = {}) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#networks = new LeaseCache({ capacity });
  }

  /** The `count` highest. @throws InputError, ModelNotFoundError, DeviceError */
  async classify(bytes: Uint8Array, reference: string, count: number): Promise<Classification> {
    const model = await this.#registry.get(reference);
    const photo = await decodeImage(bytes);
    const { preprocessing } = model.manifest;
    const shape = inputShapeOf(preprocessing) ?? preprocess(photo, preprocessing).input.shape.slice(1);
    const key = JSON.stringify([model.digest, model.preprocessingDigest, shape]);
    const make = () => load(model, shape, this.#runtime);
    const { outputs, region, task, names } = await this.#networks.use(key, make, async (network) => {
      const ready = preprocess(photo, network.preprocessing);
      const { task, names } = network;
      return { outputs: await network.outputs(ready.input), region: ready.region, task, names };
    });
    if (!outputs.scores.every(Number.isFinite))
      throw new InputError(
        'non_finite_output',
        'the model gives scores that are not finite numbers for this photo',
      );
    const predictions = highest(predictionsOf(outputs, names), count);
    return {
      predictions,
      region,
      image: { width: photo.width, height: photo.height },
      task,
      warnings: [...(model.assumed ? [assumedWarning] : []), ...doubts(task, predictions[0]!)],
    };
  }

  async close(): Promise<void> {
    await this.#networks.close();
  }
}

async function load(model: RegisteredModel, shape: readonly number[], runtime: Runtime): Promise<Network> {
  const classifier = await classifierOf(model, readingOf(model, model.assumed ? undefined : shape));
  const session = await runtime.load(forwardGraph(classifier));
  return {
    preprocessing: preprocessingFor(model, classifier),
    task: classifier.head.task,
    names: classNames(model.labels, classifier.classes),
    async outputs(image) {
      const { logits, probabilities } = await session.run({ image: rows(image, classifier.batch ?? 1) });
      const first = (rows: Tensor) => (rows as Tensor<'float32'>).data.subarray(0, classifier.classes);
      return { scores: first(logits!), probabilities: probabilities ? first(probabilities) : null };
    },
    close: () => session.close(),
  };
}

/** One image as the batch of `count` that a model has baked in. */
function rows(image: Tensor<'float32'>, count: number): Tensor<'float32'> {
  const data = new Float32Array(image.data.length * count);
  for (let n = 0; n < count; n++) data.set(image.data, n * image.data.length);
  return { ...image, shape: [count, ...image.shape.slice(1)], data };
}
