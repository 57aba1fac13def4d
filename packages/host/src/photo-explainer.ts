import { type Attribution, InputError, type Runtime, writeNpy } from '@whylight/core';
import { preprocess, range } from '@whylight/core/image';
import { resolveMethod } from '@whylight/core/methods';
import { decodeImage, type PhotoType, servicePhotoTypes } from './decode.ts';
import type { Artifact, ArtifactName, PhotoExplanation, PhotoRequest, Watch } from './explanation.ts';
import { LeaseCache } from './lease-cache.ts';
import { inputShapeOf } from './manifest.ts';
import { drawPictures } from './pictures.ts';
import { createPlan, type Plan } from './plan.ts';
import { highest, resolveTarget, scored } from './predictions.ts';
import type { ModelRegistry } from './registry.ts';
import { type Result, resultBytes } from './result.ts';

/** Explains photos: decodes, preprocesses, explains and draws. Compiled explainers are kept for the next photo. */
export class PhotoExplainer {
  readonly #runtime: Runtime;
  readonly #registry: ModelRegistry;
  readonly #plans: LeaseCache<Plan>;
  readonly #types: readonly PhotoType[];

  /** `capacity`: compiled explainers that are kept; `types`: what may be decoded. */
  constructor(
    runtime: Runtime,
    registry: ModelRegistry,
    { capacity = 8, types = servicePhotoTypes }: { capacity?: number; types?: readonly PhotoType[] } = {},
  ) {
    this.#types = types;
    this.#runtime = runtime;
    this.#registry = registry;
    this.#plans = new LeaseCache(capacity);
  }

  /**
   * @throws InputError for what the user can put right. @throws ModelNotFoundError. @throws DeviceError.
   *   @throws the signal's reason once it is aborted.
   */
  async explain(request: PhotoRequest, { signal, onProgress }: Watch = {}): Promise<PhotoExplanation> {
    const { language = 'en' } = request;
    const model = await this.#registry.get(request.model);
    const method = resolveMethod(request);
    const clock = stopwatch();

    const photo = await decodeImage(request.photo, { allow: this.#types });
    const decode = clock();

    const { preprocessing } = model.manifest;
    const shape = inputShapeOf(preprocessing) ?? preprocess(photo, preprocessing).input.shape.slice(1);
    const layers = request.layers ?? [];
    const key = JSON.stringify([model.digest, model.preprocessingDigest, method, layers, shape]);
    const work = async (plan: Plan) => {
      const target = resolveTarget(request.target, model.labels, plan.classes);
      const { input, region } = preprocess(photo, plan.preprocessing);
      const watch = { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
      const answer = await plan.explainer.attribute(input, [target], watch);
      return { answer, region, layers: [...plan.explainer.layers], layout: plan.preprocessing.layout };
    };
    const make = () => createPlan(model, method, layers, shape, this.#runtime);
    const { answer, region, ...how } = await this.#plans.use(key, make, work);
    checkFinite(answer);
    const compute = clock();
    signal?.throwIfAborted();

    const predictions = scored(answer.logits.data, model.labels);
    const target = predictions[answer.targets[0]!]!;
    const best = highest(predictions, 5);
    const pictures = await drawPictures({
      photo,
      region,
      attribution: answer.attribution,
      layout: how.layout,
      method: method.id,
      target,
      predicted: best[0]!,
      language,
      visualization: request.visualization,
    });
    const render = clock();

    const { minimum, maximum, sum } = summary(answer.attribution.data);
    const warnings = new Set(answer.warnings);
    if (model.assumed) warnings.add('preprocessing_assumed: the model has no manifest');
    for (const warning of pictures.warnings) warnings.add(warning);
    const result: Result = {
      method: method.id,
      convention: method.convention,
      parameters: method.params,
      layers: how.layers,
      target,
      predictions: best,
      attribution: {
        shape: [...answer.attribution.shape],
        minimum,
        maximum,
        sum,
        convergence_delta: answer.convergenceDelta?.[0] ?? null,
      },
      input_region: region,
      image: { width: photo.width, height: photo.height },
      device: this.#runtime.device,
      milliseconds: { decode, compute, render },
      warnings: [...warnings],
    };
    const artifacts = new Map<ArtifactName, Artifact>([
      ['overlay.png', { bytes: pictures.overlay, contentType: 'image/png' }],
      ['heatmap.png', { bytes: pictures.heatmap, contentType: 'image/png' }],
      ['attribution.npy', { bytes: writeNpy(answer.attribution), contentType: 'application/octet-stream' }],
      ['result.json', { bytes: resultBytes(result), contentType: 'application/json' }],
    ]);
    return { result, artifacts };
  }

  async close(): Promise<void> {
    await this.#plans.close();
  }
}

/** Milliseconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const elapsed = now - last;
    last = now;
    return Math.round(elapsed * 100) / 100;
  };
}

function checkFinite({ attribution, logits }: Attribution): void {
  if (!logits.data.every(Number.isFinite))
    throw new InputError(
      'non_finite_output',
      'the model gives scores that are not finite numbers for this photo',
    );
  if (!attribution.data.every(Number.isFinite))
    throw new InputError('non_finite_output', 'the attribution has values that are not finite numbers');
}

function summary(values: Float32Array): { minimum: number; maximum: number; sum: number } {
  const [minimum, maximum] = range(values);
  return { minimum, maximum, sum: values.reduce((sum, value) => sum + value, 0) };
}
