import type { Prediction, Task, Warning } from '@whylight/contract';
import { forwardGraph, InputError, type Runtime, row, type Tensor } from '@whylight/core';
import { preprocess, type Region, type Sides } from '@whylight/core/image';
import {
  type ClassNames,
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
import { checkImages } from './check-images.ts';

export interface Classification {
  /** The most likely class first. Without probabilities the highest score comes first. */
  readonly predictions: Prediction[];
  readonly region: Region;
  readonly image: { readonly width: number; readonly height: number };
  readonly task: Task;
  readonly warnings: Warning[];
}

interface Network extends Prepared {
  /** Shape of one image, without the batch. */
  readonly inputShape: readonly number[];
  /** Computes the outputs for each image. */
  outputs(images: Tensor<'float32'>): Promise<Outputs[]>;
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
    const decoded = await decodePhoto(bytes, await channelsFor(model));
    const { pixels, picture: photo } = decoded;
    const sides = await sidesFor(model, photo);
    const key = JSON.stringify([model.digest, model.preprocessingDigest, sides ?? null]);
    const make = () => load(model, sides, this.#runtime);
    const { outputs, region, task, names, warnings } = await this.#networks.use(
      key,
      make,
      async (network) => {
        const ready = preprocess(pixels, network.preprocessing);
        const { task, names, warnings } = network;
        const [outputs] = await network.outputs(ready.input);
        return { outputs: outputs!, region: ready.region, task, names, warnings };
      },
    );
    const predictions = best(outputs, names, count, 'this photo');
    return {
      predictions,
      region,
      image: { width: photo.width, height: photo.height },
      task,
      warnings: [...decoded.warnings, ...warnings, ...doubts(task, predictions[0]!)],
    };
  }

  /**
   * Classifies images as the network takes them, [N, …], in one run if the network takes many.
   *
   * @throws InputError, ModelNotFoundError, DeviceError
   */
  async classifyTensor(
    images: Tensor<'float32'>,
    reference: string,
    count: number,
  ): Promise<Pick<Classification, 'predictions' | 'task' | 'warnings'>[]> {
    const model = await this.#registry.get(reference);
    const sides = statedSides(model) ?? undefined;
    const key = JSON.stringify([model.digest, model.preprocessingDigest, sides ?? null]);
    return this.#networks.use(
      key,
      () => load(model, sides, this.#runtime),
      async (network) => {
        checkImages(images, network.inputShape);
        const { task, names, warnings } = network;
        return (await network.outputs(images)).map((outputs, n) => {
          const predictions = best(outputs, names, count, `image ${n}`);
          return { predictions, task, warnings: [...warnings, ...doubts(task, predictions[0]!)] };
        });
      },
    );
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
    inputShape: classifier.inputShape,
    async outputs(images) {
      const { batch, classes } = classifier;
      const answers: Outputs[] = [];
      const step = batch === undefined ? images.shape[0]! : 1;
      for (let n = 0; n < images.shape[0]!; n += step) {
        const image = batch === undefined ? images : repeated(row(images, n), batch);
        const { logits, probabilities } = await session.run({ image });
        for (let i = 0; i < step; i++) {
          const own = (rows: Tensor) =>
            (rows as Tensor<'float32'>).data.slice(i * classes, (i + 1) * classes);
          answers.push({ scores: own(logits!), probabilities: probabilities ? own(probabilities) : null });
        }
      }
      return answers;
    },
    close: () => session.close(),
  };
}

/** Repeats one image for a model with a fixed batch of `count`. */
function repeated(image: Tensor<'float32'>, count: number): Tensor<'float32'> {
  const data = new Float32Array(image.data.length * count);
  for (let n = 0; n < count; n++) data.set(image.data, n * image.data.length);
  return { ...image, shape: [count, ...image.shape.slice(1)], data };
}

/** Selects the `count` highest classes. @throws InputError `non_finite_output` */
function best(
  { scores, probabilities }: Outputs,
  names: ClassNames,
  count: number,
  of: string,
): Prediction[] {
  if (!scores.every(Number.isFinite))
    throw new InputError('non_finite_output', `the model gives scores that are not finite numbers for ${of}`);
  return highest(predictionsOf({ scores, probabilities }, names), count);
}
