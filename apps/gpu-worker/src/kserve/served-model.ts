import type { Prediction } from '@whylight/contract';
import { type Classifier, readNpy, type Tensor } from '@whylight/core';
import {
  classifierOf,
  type PhotoClassifier,
  type PhotoExplainer,
  type RegisteredModel,
  type TensorExplainer,
  type TensorExplanation,
} from '@whylight/host';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ExplanationWish } from './explanation-wish.ts';
import type { Instance } from './instance.ts';
import { refusedAt } from './refusal.ts';

/** The parts that compute: the same as in a worker of the service. */
export interface Engine {
  readonly photos: Pick<PhotoExplainer, 'explain'>;
  readonly tensors: Pick<TensorExplainer, 'explain'>;
  readonly classifier: Pick<PhotoClassifier, 'classify' | 'classifyTensor'>;
  readonly metrics: Metrics;
}

/** The explanation of one instance. */
export interface Explained {
  readonly result: TensorExplanation['result'];
  /** Its first dimension is 1. */
  readonly attribution: Tensor<'float32'>;
  /** A PNG file; null for a tensor. */
  readonly overlay: Uint8Array | null;
}

/** The model that a lone worker serves. */
export class ServedModel {
  readonly name: string;
  readonly classifier: Classifier;
  /** Whether it gives probabilities. */
  readonly hasProbabilities: boolean;
  readonly #digest: string;
  readonly #engine: Engine;

  private constructor(
    { name, digest }: RegisteredModel,
    classifier: Classifier,
    engine: Engine,
    hasProbabilities: boolean,
  ) {
    this.name = name;
    this.classifier = classifier;
    this.hasProbabilities = hasProbabilities;
    this.#digest = digest;
    this.#engine = engine;
  }

  /** Reads the model, and runs it once on an image of zeros. @throws InputError for one that cannot be served */
  static async load(model: RegisteredModel, engine: Engine): Promise<ServedModel> {
    const classifier = await classifierOf(model);
    const shape = [1, ...classifier.inputShape];
    const zeros = { dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) } as const;
    const [first] = await engine.classifier.classifyTensor(zeros, model.digest, 1);
    return new ServedModel(model, classifier, engine, first!.predictions[0]!.probability !== undefined);
  }

  /** The `count` likeliest classes of each instance. @throws Refusal, InputError */
  async predict(instances: readonly Instance[], count: number): Promise<Prediction[][]> {
    const { classifier, metrics } = this.#engine;
    const answers = instances.map(({ photo, tensor }, n) => {
      const answer = tensor
        ? classifier.classifyTensor(tensor, this.#digest, count).then(([only]) => only!)
        : classifier.classify(photo!, this.#digest, count);
      return at(n, answer);
    });
    return (await Promise.all(answers)).map(({ predictions }) => {
      metrics.predictions.inc();
      return predictions;
    });
  }

  /** Explains each instance; they may share a run of the graph. @throws Refusal, InputError, the signal's reason */
  async explain(
    instances: readonly Instance[],
    wish: ExplanationWish,
    signal: AbortSignal,
  ): Promise<Explained[]> {
    // If one instance fails there is no answer: the others need not go on.
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const answers = instances.map((instance, n) => at(n, this.#explainOne(instance, wish, either)));
    try {
      return await Promise.all(answers);
    } catch (error) {
      failed.abort(error);
      await Promise.allSettled(answers);
      throw error;
    }
  }

  async #explainOne(
    { photo, tensor }: Instance,
    { question, style }: ExplanationWish,
    signal: AbortSignal,
  ): Promise<Explained> {
    const { photos, tensors, metrics } = this.#engine;
    const model = this.#digest;
    if (tensor) {
      const explained = await tensors.explain({ tensor, model, question }, { signal });
      metrics.explanations.inc();
      return { ...explained, overlay: null };
    }
    const { result, artifacts } = await photos.explain({ photo, model, question, style }, { signal });
    metrics.explanations.inc();
    return {
      result: { ...result, convergence_delta: result.attribution.convergence_delta },
      attribution: readNpy(artifacts.get('attribution.npy')!) as Tensor<'float32'>,
      overlay: artifacts.get('overlay.png')!,
    };
  }
}

/** `answer`, whose refusal says which instance it is about. */
const at = <T>(n: number, answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw refusedAt(`instance ${n}`, error);
  });
