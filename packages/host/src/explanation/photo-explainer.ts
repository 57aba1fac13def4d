import {
  float32,
  InputError,
  OutOfMemoryError,
  type Runtime,
  type Tensor,
  type Warning,
  writeNpy,
} from '@whylight/core';
import {
  type Picture,
  preprocess,
  type Region,
  type RegionSpec,
  range,
  regionWeights,
} from '@whylight/core/image';
import {
  doubts,
  highest,
  predictionOfTarget,
  predictionsOf,
  resolveTarget,
} from '../classification/predictions.ts';
import { decodeImage, decodePhoto, type PhotoType, servicePhotoTypes, sizeOfImage } from '../codec/decode.ts';
import { channelsFor, sidesFor } from '../models/prepare.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { inlineRenderPool, type RenderPool } from '../rendering/render-pool.ts';
import { type BatchedAttribution, Batcher, type BatchSettings } from '../scheduling/batcher.ts';
import { Budget } from '../scheduling/budget.ts';
import { FairQueue } from '../scheduling/fair-queue.ts';
import { runAs } from '../scheduling/fair-runtime.ts';
import { LeaseCache } from '../scheduling/lease-cache.ts';
import type { Artifact, ArtifactName, PhotoExplanation, PhotoRequest, Watch } from './explanation.ts';
import { featureMask } from './feature-mask.ts';
import { applyFit } from './fit.ts';
import { createPlan, type Plan } from './plan.ts';
import { formOf, type Result, resultBytes } from './result.ts';

export interface PhotoExplainerOptions {
  /** Compiled explainers that are kept. */
  readonly capacity?: number;
  /** How large the graphs of those that are kept may be in all, in bytes. */
  readonly budget?: number | undefined;
  /** What may be decoded. */
  readonly types?: readonly PhotoType[];
  /** Pixels of photos that are held at a time; more wait. */
  readonly pixels?: number | undefined;
  readonly batch?: BatchSettings | undefined;
  readonly renderPool?: RenderPool | undefined;
}

/** An explainer that is ready for photos, and what joins the images of many requests into batches for it. */
type LoadedExplainer = Plan & { readonly batcher: Batcher };

const alone: BatchSettings = { most: 1, delay: 0 };

/** Explains photos: decodes, preprocesses, explains and renders. It keeps compiled explainers for the next photo. */
export class PhotoExplainer {
  readonly #runtime: Runtime;
  readonly #registry: ModelRegistry;
  readonly #explainers: LeaseCache<LoadedExplainer>;
  /** Photos wait here until their pixels fit into memory. */
  readonly #photos: FairQueue<number>;
  readonly #options: PhotoExplainerOptions;
  readonly #renderPool: RenderPool;

  constructor(runtime: Runtime, registry: ModelRegistry, options: PhotoExplainerOptions = {}) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#options = options;
    this.#explainers = new LeaseCache({
      capacity: options.capacity ?? 8,
      budget: options.budget,
      size: ({ bytes }) => bytes,
    });
    this.#photos = new FairQueue({ capacity: new Budget(options.pixels ?? Infinity) });
    this.#renderPool = options.renderPool ?? inlineRenderPool;
  }

  /**
   * @throws InputError for what the user can put right. @throws ModelNotFoundError. @throws DeviceError.
   *   @throws OutOfMemoryError. @throws the signal's reason once it is aborted.
   */
  async explain(request: PhotoRequest, watch: Watch = {}): Promise<PhotoExplanation> {
    const model = applyFit(await this.#registry.get(request.model), request.fit);
    const { width, height } = await sizeOfImage(request.photo, { allow: this.#types });
    return this.#photos.run({ owner: '', claim: width * height }, async () => {
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
    { signal, onProgress, owner = '' }: Watch,
  ): Promise<PhotoExplanation> {
    const { target: wanted, ...question } = request.question;
    const clock = stopwatch();

    const { pixels, picture: photo } = await decodePhoto(request.photo, await channelsFor(model), {
      allow: this.#types,
    });
    const decode = clock();

    const sides = await sidesFor(model, photo);
    const mask = request.featureMask && (await decodeImage(request.featureMask, { allow: this.#types }));
    const key = JSON.stringify([model.digest, model.preprocessingDigest, question, sides ?? null]);
    const work = async ({ explainer, batcher, direct, preprocessing: own, ...loaded }: LoadedExplainer) => {
      const { classes, names, pixels: size } = loaded;
      const target = resolveTarget(wanted, names, classes);
      const { input, region } = preprocess(pixels, own);
      if (mask && direct)
        throw new InputError(
          'invalid_parameter',
          `${question.method} hides no features: it takes no feature mask`,
        );
      const aux = mask && { feature_mask: featureMask(mask, photo, region, input.shape, own) };
      const regions = request.region && regionsOn(request.region, photo, region, size);
      const attribute = () => explainer.attribute(input, [target], { signal, onProgress, aux, regions });
      const answer: BatchedAttribution =
        direct && !regions
          ? await batcher.attribute(input, target, signal)
          : { ...(await runAs(owner, attribute)), batchSize: 1 };
      const { layout } = own;
      return { ...loaded, answer, asked: target, region, layers: [...explainer.layers], layout };
    };
    const make = () =>
      runAs(owner, async () => {
        const plan = await createPlan(model, question, sides, this.#runtime);
        return { ...plan, batcher: new Batcher(plan.explainer, this.#options.batch ?? alone, key) };
      });
    const { answer, ...how } = await this.#explainers.use(key, make, work).catch(async (error: unknown) => {
      // What is given up gives its memory back; a device that has none needs it.
      if (error instanceof OutOfMemoryError) await this.#explainers.forget(key);
      throw error;
    });
    const compute = clock();
    signal?.throwIfAborted();

    const { names, task } = how;
    const [scores, probabilities] = [answer.scores.data, answer.probabilities?.data ?? null];
    const predictions = predictionsOf({ scores, probabilities }, names);
    const target = predictionOfTarget(how.asked, answer.targets[0]!, predictions, names);
    const best = highest(predictions, 5);
    const rendering = await this.#renderPool.render({
      photo,
      region: request.stretched ? { x: 0, y: 0, width: photo.width, height: photo.height } : how.region,
      attribution: answer.attribution,
      layout: how.layout,
      method: question.method,
      task,
      target,
      predicted: best[0]!,
      style: request.style,
    });
    const render = clock();

    const { minimum, maximum, sum } = summary(answer.attribution.data);
    const warnings: Warning[] = [...answer.warnings, ...doubts(task, best[0]!)];
    warnings.push(...how.warnings);
    warnings.push(...rendering.warnings);
    const result: Result = {
      method: question.method,
      convention: question.convention,
      parameters: question.parameters,
      layers: how.layers,
      task: model.score?.type === 'region' ? 'segmentation' : task,
      target: { ...formOf(model.score, target.class_index, request.region), ...target },
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
    const artifacts = new Map<ArtifactName, Artifact>([
      ['overlay.png', { bytes: rendering.overlay, contentType: 'image/png' }],
      ['heatmap.png', { bytes: rendering.heatmap, contentType: 'image/png' }],
      ['attribution.npy', { bytes: writeNpy(answer.attribution), contentType: 'application/octet-stream' }],
      ['result.json', { bytes: resultBytes(result), contentType: 'application/json' }],
    ]);
    return { result, artifacts, batchSize: answer.batchSize };
  }

  async close(): Promise<void> {
    await this.#explainers.close();
  }
}

/** How much each pixel of the maps counts. @throws InputError for a model that is explained as a whole */
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

function summary(values: Float32Array): { minimum: number; maximum: number; sum: number } {
  const [minimum, maximum] = range(values);
  return { minimum, maximum, sum: values.reduce((sum, value) => sum + value, 0) };
}
