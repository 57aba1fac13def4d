import type { ExplanationResult } from '@whylight/contract';
import type { Tensor } from '@whylight/core';
import type { ResolvedQuestion } from '@whylight/core/methods';
import {
  doubts,
  highest,
  predictionOfTarget,
  predictionsOf,
  resolveTarget,
  statedSides,
} from '@whylight/core/preparation';
import { checkImages } from '../classification/check-images.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { runAs } from '../scheduling/fair-runtime.ts';
import type { ExplainerCache, LoadedExplainer } from './explainer-cache.ts';
import type { Watch } from './explanation.ts';

export interface TensorRequest {
  /** One image as the network takes it, [1, …]: decoded, resized and normalised by the caller. */
  readonly tensor: Tensor<'float32'>;
  /** Name or digest of a model. */
  readonly model: string;
  readonly question: ResolvedQuestion;
}

/** The explanation of a tensor, without pictures: there is no photo on which to draw. */
export interface TensorExplanation {
  readonly result: Pick<
    ExplanationResult,
    'method' | 'layers' | 'task' | 'target' | 'predictions' | 'warnings'
  > & {
    readonly convergence_delta: number | null;
  };
  /** Its first dimension is 1. */
  readonly attribution: Tensor<'float32'>;
}

/** Explains images that are tensors already, with the same explainers as photos. */
export class TensorExplainer {
  readonly #registry: ModelRegistry;
  readonly #explainers: ExplainerCache;

  constructor(registry: ModelRegistry, explainers: ExplainerCache) {
    this.#registry = registry;
    this.#explainers = explainers;
  }

  /** @throws InputError, ModelNotFoundError, DeviceError, OutOfMemoryError. @throws the signal's reason once it is aborted */
  async explain(
    { tensor, model: reference, question: asked }: TensorRequest,
    { signal, onProgress, owner = '' }: Watch = {},
  ): Promise<TensorExplanation> {
    signal?.throwIfAborted();
    const model = await this.#registry.get(reference);
    const sides = statedSides(model) ?? undefined;
    const { target: wanted, ...question } = asked;
    const work = async ({ explainer, batcher, direct, ...loaded }: LoadedExplainer) => {
      checkImages(tensor, loaded.inputShape);
      const target = resolveTarget(wanted, loaded.names, loaded.classes);
      const answer = direct
        ? await batcher.attribute(tensor, target, signal)
        : await runAs(owner, () => explainer.attribute(tensor, [target], { signal, onProgress }));
      return { ...loaded, answer, asked: target, layers: [...explainer.layers] };
    };
    const {
      answer,
      asked: target,
      layers,
      names,
      task,
      warnings,
    } = await this.#explainers.use({ model, question, sides, owner }, work);
    const [scores, probabilities] = [answer.scores.data, answer.probabilities?.data ?? null];
    const predictions = predictionsOf({ scores, probabilities }, names);
    const best = highest(predictions, 5);
    return {
      result: {
        method: question.method,
        layers,
        task,
        target: predictionOfTarget(target, answer.targets[0]!, predictions, names),
        predictions: best,
        convergence_delta: answer.convergenceDelta?.[0] ?? null,
        warnings: [...answer.warnings, ...doubts(task, best[0]!), ...warnings],
      },
      attribution: answer.attribution,
    };
  }
}
