import type { Prediction, Task, Warning } from '@whylight/contract';
import { forwardGraph, InputError, type Runtime, type Tensor } from '@whylight/core';
import { preprocess, type Region, type Sides } from '@whylight/core/image';
import {
  channelsFor,
  classifierOf,
  doubts,
  highest,
  type Outputs,
  type Prepared,
  predictionsOf,
  prepare,
  preparedFor,
  readingOf,
  sidesFor,
  statedSides,
} from '@whylight/core/preparation';
import { decodePhoto } from '../codec/decode.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { LeaseCache } from '../scheduling/lease-cache.ts';

export interface Classification {
  /** The most likely class first. Without probabilities the highest score comes first. */
  readonly predictions: Prediction[];
  readonly region: Region;
  readonly image: { readonly width: number; readonly height: number };
  readonly task: Task;
  readonly warnings: Warning[];
}

interface Network extends Prepared {
  outputs(image: Tensor<'float32'>): Promise<Outputs>;
  close(): Promise<void>;
}

/** Classifies photos, without an explanation. It keeps networks for the next photo. */
export class PhotoClassifier {
  readonly #runtime: Runtime;
  readonly #registry: ModelRegistry;
  readonly #networks: LeaseCache<Network>;

  constructor(runtime: Runtime, registry: ModelRegistry, { capacity = 4 }: { capacity?: number } = {}) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#networks = new LeaseCache({ capacity });
  }

  /** Returns the `count` highest classes. @throws InputError, ModelNotFoundError, DeviceError */
  async classify(bytes: Uint8Array, reference: string, count: number): Promise<Classification> {
    const model = await this.#registry.get(reference);
    const { pixels, picture: photo } = await decodePhoto(bytes, await channelsFor(model));
    const sides = await sidesFor(model, photo);
    const key = JSON.stringify([model.digest, model.preprocessingDigest, sides ?? null]);
    const make = () => load(model, sides, this.#runtime);
    const { outputs, region, task, names, warnings } = await this.#networks.use(
      key,
      make,
      async (network) => {
        const ready = preprocess(pixels, network.preprocessing);
        const { task, names, warnings } = network;
        return { outputs: await network.outputs(ready.input), region: ready.region, task, names, warnings };
      },
    );
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
      warnings: [...warnings, ...doubts(task, predictions[0]!)],
    };
  }

  async close(): Promise<void> {
    await this.#networks.close();
  }
}

async function load(model: RegisteredModel, sides: Sides | undefined, runtime: Runtime): Promise<Network> {
  const classifier = await classifierOf(model, readingOf(model, sides));
  const prepared = statedSides(model) === null ? await preparedFor(model) : prepare(model, classifier);
  const session = await runtime.load(forwardGraph(classifier));
  return {
    ...prepared,
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
