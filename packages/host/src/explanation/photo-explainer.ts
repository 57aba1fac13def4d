import type { ArtifactName, ExplanationResult, Warning } from '@whylight/contract';
import { float32, InputError, type Runtime, type Tensor, writeNpy } from '@whylight/core';
import { range } from '@whylight/core/drawing';
import { type Picture, preprocess, type Region, type RegionSpec, regionWeights } from '@whylight/core/image';
import {
  channelsFor,
  cropWarnings,
  doubts,
  highest,
  predictionOfTarget,
  predictionsOf,
  resolveTarget,
  sidesFor,
} from '@whylight/core/preparation';
import { decodeImage, decodePhoto, type PhotoType, servicePhotoTypes, sizeOfImage } from '../codec/decode.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { inlineRenderPool, type RenderPool } from '../rendering/render-pool.ts';
import type { BatchedAttribution } from '../scheduling/batcher.ts';
import { Budget } from '../scheduling/budget.ts';
import { FairQueue } from '../scheduling/fair-queue.ts';
import { runAs } from '../scheduling/fair-runtime.ts';
import { ExplainerCache, type ExplainerCacheOptions, type LoadedExplainer } from './explainer-cache.ts';
import type { PhotoExplanation, PhotoRequest, Watch } from './explanation.ts';
import { featureMask } from './feature-mask.ts';
import { applyFit } from './fit.ts';
import { encodeResult } from './result.ts';
import { resultTarget } from './result-target.ts';

export interface PhotoExplainerOptions extends ExplainerCacheOptions {
  /** The cache of compiled explainers, if others share it. */
  readonly explainers?: ExplainerCache | undefined;
  /** The types that may be decoded. */
  readonly types?: readonly PhotoType[];
  /** The most pixels of photos in memory at one time. More photos wait. */
  readonly pixels?: number | undefined;
  readonly renderPool?: RenderPool | undefined;
}

/** Explains photos: decodes, preprocesses, explains and renders. It keeps compiled explainers for the next photo. */
export class PhotoExplainer {
  readonly #runtime: Runtime;
  readonly #registry: ModelRegistry;
  readonly #explainers: ExplainerCache;
  /** Photos wait here until their pixels fit into memory. */
  readonly #photos: FairQueue<number>;
  readonly #options: PhotoExplainerOptions;
  readonly #renderPool: RenderPool;

  constructor(runtime: Runtime, registry: ModelRegistry, options: PhotoExplainerOptions = {}) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#options = options;
    this.#explainers = options.explainers ?? new ExplainerCache(runtime, options);
    this.#photos = new FairQueue({ capacity: new Budget(options.pixels ?? Infinity) });
    this.#renderPool = options.renderPool ?? inlineRenderPool;
  }

  /**
   * @throws InputError for what the user can correct. @throws ModelNotFoundError. @throws DeviceError.
   *   @throws OutOfMemoryError. @throws the signal's reason once it is aborted.
   */
  async explain(request: PhotoRequest, watch: Watch = {}): Promise<PhotoExplanation> {
    const model = applyFit(await this.#registry.get(request.model), request.fit);
    const { width, height } = await sizeOfImage(request.photo, { allow: this.#types });
    return this.#photos.run({ owner: watch.owner ?? '', claim: width * height }, async () => {
      watch.signal?.throwIfAborted();
      return this.#explain(request, model, watch);
    });
  }

  get #types(): readonly PhotoType[] {
    return this.#options.types ?? servicePhotoTypes;
  }

  async #explain(
    request: PhotoRequest,
    model: RegisteredModel,
    { owner = '', ...watch }: Watch,
  ): Promise<PhotoExplanation> {
    const { target: wanted, ...question } = request.question;
    const { signal } = watch;
    const clock = stopwatch();

    const decoded = await decodePhoto(request.photo, await channelsFor(model), { allow: this.#types });
    const { pixels, picture: photo } = decoded;
    const decode = clock();

    const sides = await sidesFor(model, photo);
    const mask = request.featureMask && (await decodeImage(request.featureMask, { allow: this.#types }));
    const work = async ({ explainer, batcher, direct, preprocessing: own, ...loaded }: LoadedExplainer) => {
      const { classes, names, pixels: size } = loaded;
      const target = resolveTarget(wanted, names, classes);
      const { input, region } = preprocess(pixels, own);
      if (mask && direct)
        throw new InputError(
          'invalid_parameter',
          `method ${question.method} takes no feature mask: expected a method that hides features, such as occlusion`,
        );
      const aux = mask && { feature_mask: featureMask(mask, photo, region, input.shape, own) };
      const regions = request.region && regionsOn(request.region, photo, region, size);
      const attribute = () => explainer.attribute(input, [target], { ...watch, aux, regions });
      const answer: BatchedAttribution =
        direct && !regions
          ? await batcher.attribute(input, target, signal)
          : { ...(await runAs(owner, attribute)), batchSize: 1 };
      const { layout } = own;
      return { ...loaded, answer, asked: target, region, layers: [...explainer.layers], layout };
    };
    const { answer, ...how } = await this.#explainers.use({ model, question, sides, owner }, work);
    const compute = clock();
    signal?.throwIfAborted();

    const { names, task } = how;
    const [scores, probabilities] = [answer.scores.data, answer.probabilities?.data ?? null];
    const predictions = predictionsOf({ scores, probabilities }, names);
    const target = predictionOfTarget(how.asked, answer.targets[0]!, predictions, names);
    const best = highest(predictions, 5);
    const scene = {
      photo,
      region: request.stretched ? { x: 0, y: 0, width: photo.width, height: photo.height } : how.region,
      seen: how.region,
      attribution: answer.attribution,
      layout: how.layout,
      method: question.method,
      convention: question.convention,
      task,
      target,
      predicted: best[0]!,
      style: request.style,
    };
    const rendering = await this.#renderPool.render(scene, owner);
    const render = clock();

    const { minimum, maximum, sum } = summary(answer.attribution.data);
    const warnings: Warning[] = [...decoded.warnings, ...answer.warnings, ...doubts(task, best[0]!)];
    warnings.push(...how.warnings, ...cropWarnings(photo, how.region));
    warnings.push(...rendering.warnings);
    const result: ExplanationResult = {
      method: question.method,
      convention: question.convention,
      parameters: question.parameters,
      layers: how.layers,
      task: model.score?.type === 'region' ? 'segmentation' : task,
      target: resultTarget(target, model.score, request.region),
      predictions: best,
      attribution: {
        shape: [...answer.attribution.shape],
        minimum,
        maximum,
        sum,
        convergence_delta: answer.convergenceDelta?.[0] ?? null,
        scale: answer.scale?.[0] ?? null,
      },
      preprocessing: how.report,
      input_region: how.region,
      image: { width: photo.width, height: photo.height },
      device: this.#runtime.device,
      milliseconds: { decode, compute, render },
      warnings,
    };
    const artifacts = new Map<ArtifactName, Uint8Array>([
      ['overlay.png', rendering.overlay],
      ['heatmap.png', rendering.heatmap],
      ['attribution.npy', writeNpy(answer.attribution)],
      ['result.json', encodeResult(result)],
    ]);
    return { result, artifacts, batchSize: answer.batchSize };
  }

  async close(): Promise<void> {
    await this.#explainers.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Computes how much each pixel of the maps counts. @throws InputError for a model that is explained as a whole */
function regionsOn(
  region: RegionSpec,
  photo: Picture,
  input: Region,
  pixels: readonly [number, number] | undefined,
): Tensor<'float32'> {
  if (!pixels)
    throw new InputError('invalid_parameter', 'region: the model is not read as a segmenter', ['region']);
  return float32([1, ...pixels], regionWeights(region, { photo, input, pixels }));
}

/** Returns a function that gives the milliseconds since its last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const elapsed = now - last;
    last = now;
    return Math.round(elapsed * 100) / 100;
  };
}

function summary(values: Float32Array): { minimum: number; maximum: number; sum: number } {
  const [minimum, maximum] = range(values);
  return { minimum, maximum, sum: values.reduce((sum, value) => sum + value, 0) };
}
