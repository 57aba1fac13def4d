import { compileExplainer, forwardGraph, InputError, OutOfMemoryError, type Tensor } from '@whylight/core';
import { type Legend, opaqueRgba, paint, type Rgba, type Scenery } from '@whylight/core/drawing';
import { preprocess } from '@whylight/core/image';
import { attributionKindOf, resolveQuestion } from '@whylight/core/methods';
import {
  channelsFor,
  classifierOf,
  createPlan,
  cropWarnings,
  doubts,
  highest,
  normalisationBy,
  type Plan,
  type Prepared,
  predictionOfTarget,
  predictionsOf,
  prepare,
  preparedFor,
  readingOf,
  resolveTarget,
  sidesFor,
  statedSides,
} from '@whylight/core/preparation';
import type {
  Answered,
  Asked,
  Classification,
  ClassifyQuestion,
  Compiled,
  CompileQuestion,
  Device,
  ExplainQuestion,
  Judgement,
  JudgeQuestion,
  ModelCheck,
} from '../calls.ts';
import type { FileModel } from '../models/described-files.ts';
import { openSource } from '../models/open.ts';
import type { ModelSource, OpenedModel } from '../models/opened-model.ts';
import { photoOf } from '../photo.ts';
import { rgbaOf } from '../pixels.ts';
import { judge } from './judge.ts';
import { Loaded } from './loaded.ts';
import { checkOf } from './model-check.ts';
import type { WebRuntime } from './runtime.ts';

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: number) => void;
}

interface Network extends Prepared {
  readonly classes: number;
  readonly rows: number;
  run(image: Tensor): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}

/** Open models and their loaded graphs: explainers of the last questions, the network of the last classified images. */
export class Engine {
  readonly #runtime: WebRuntime;
  readonly #models = new Map<number, FileModel>();
  readonly #plans = new Loaded<Plan>(4);
  readonly #networks = new Loaded<Network>(1);
  #opened = 0;

  constructor(runtime: WebRuntime) {
    this.#runtime = runtime;
  }

  async open(source: ModelSource, watch: Watch): Promise<OpenedModel> {
    const { model, cached } = await openSource(source, watch);
    const classifier = await classifierOf(model);
    const { report, names, task, warnings } = prepare(model, classifier);
    const id = ++this.#opened;
    this.#models.set(id, model);
    const { name, sha256 } = model;
    const { classes } = classifier;
    const labels = names.classes && [...names.classes];
    return { id, name, sha256, task, classes, labels, preprocessing: report, warnings, cached };
  }

  async release(id: number): Promise<void> {
    this.#models.delete(id);
    await this.#plans.end(`${id} `);
    await this.#networks.end(`${id} `);
  }

  async classify({ model: id, bitmap, count = 5 }: Asked<ClassifyQuestion>): Promise<Classification> {
    const model = this.#model(id);
    const clock = stopwatch();
    const { pixels, picture } = photoOf(rgbaOf(bitmap), await channelsFor(model));
    const sides = await sidesFor(model, picture);
    const key = `${id} ${JSON.stringify(sides ?? null)}`;
    const network = await this.#networks.get(key, () => this.#network(model, sides));
    const load = clock();
    const { input } = preprocess(pixels, network.preprocessing);
    const { logits, probabilities } = await network.run(repeated(input, network.rows));
    const first = (all: Tensor | undefined) =>
      all ? (all as Tensor<'float32'>).data.slice(0, network.classes) : null;
    const scores = first(logits)!;
    if (!scores.every(Number.isFinite))
      throw new InputError('non_finite_output', 'the model gives scores that are not finite for this image');
    const outputs = { scores, probabilities: first(probabilities) };
    const predictions = highest(predictionsOf(outputs, network.names), count);
    const { task, warnings } = network;
    return {
      predictions,
      task,
      warnings: [...warnings, ...doubts(task, predictions[0]!)],
      device: this.#device,
      milliseconds: { load, compute: clock() },
    };
  }

  async explain(asked: Asked<ExplainQuestion>, { signal, onProgress }: Watch): Promise<Answered> {
    const { model: id, bitmap, style, pictures = true, ...question } = asked;
    const model = this.#model(id);
    const { target: wanted, ...resolved } = resolveQuestion(
      question as ExplainQuestion & { parameters: never },
    );
    const clock = stopwatch();
    const { pixels, picture: photo } = photoOf(rgbaOf(bitmap), await channelsFor(model));
    const sides = await sidesFor(model, photo);
    const key = `${id} ${JSON.stringify([resolved, sides ?? null])}`;
    const plan = await this.#plans.get(key, () =>
      this.#withRoom(() => createPlan(model, resolved, sides, this.#runtime)),
    );
    const load = clock();
    signal.throwIfAborted();

    const { explainer, names, task, preprocessing } = plan;
    const target = resolveTarget(wanted, names, plan.classes);
    const { input, region } = preprocess(pixels, preprocessing);
    const answer = await explainer.attribute(input, [target], {
      signal,
      onProgress: (done, total) => onProgress(done / total),
    });
    const compute = clock();
    signal.throwIfAborted();

    const { attribution, scores, probabilities } = answer;
    const predictions = predictionsOf(
      { scores: scores.data, probabilities: probabilities?.data ?? null },
      names,
    );
    const best = highest(predictions, 5);
    const { method, convention, parameters } = resolved;
    const { layout } = preprocessing;
    const kind = attributionKindOf(method);
    const scenery = { photo, region, style, attribution, layout, convention, ...kind };
    const drawn = pictures ? draw(scenery) : { overlay: null, heatmap: null, legend: null };
    return {
      ...{ method, convention, parameters, task, region, kind, layout, ...drawn },
      layers: [...explainer.layers],
      target: predictionOfTarget(target, answer.targets[0]!, predictions, names),
      predictions: best,
      attribution: attribution.data,
      shape: [...attribution.shape],
      convergenceDelta: answer.convergenceDelta?.[0] ?? null,
      warnings: [
        ...answer.warnings,
        ...doubts(task, best[0]!),
        ...plan.warnings,
        ...cropWarnings(photo, region),
      ],
      device: this.#device,
      milliseconds: { load, compute, render: clock() },
    };
  }

  /** Runs the network with parts of the image deleted, in the order of a map and by chance. */
  async judge(asked: Asked<JudgeQuestion>, { signal, onProgress }: Watch): Promise<Judgement> {
    const { model: id, bitmap, target } = asked;
    const model = this.#model(id);
    const { pixels, picture } = photoOf(rgbaOf(bitmap), await channelsFor(model));
    const sides = await sidesFor(model, picture);
    const network = await this.#networks.get(`${id} ${JSON.stringify(sides ?? null)}`, () =>
      this.#network(model, sides),
    );
    const { input } = preprocess(pixels, network.preprocessing);
    const { probabilities } = await network.run(repeated(input, network.rows));
    const score = probabilities ? 'probability' : 'logit';
    const scoreOne = async (image: Tensor<'float32'>) => {
      signal.throwIfAborted();
      const given = await network.run(repeated(image, network.rows));
      return (given[probabilities ? 'probabilities' : 'logits'] as Tensor<'float32'>).data[target]!;
    };
    return { score, ...(await judge(scoreOne, input, asked, network.preprocessing.layout, onProgress)) };
  }

  async check(id: number): Promise<ModelCheck> {
    return checkOf(await classifierOf(this.#model(id)));
  }

  /** Writes the explainer as one ONNX file. */
  async compile({ model: id, ...asked }: CompileQuestion & { readonly model: number }): Promise<Compiled> {
    const model = this.#model(id);
    const classifier = await classifierOf(model);
    const { target: _, ...question } = resolveQuestion(
      asked as CompileQuestion & { layers?: string[]; parameters: never },
    );
    const normalisation = normalisationBy(prepare(model, classifier).preprocessing);
    const bytes = compileExplainer(classifier, { ...question, normalisation });
    return { bytes: bytes as Uint8Array<ArrayBuffer> };
  }

  /** Calls `load`; if memory runs out, ends all kept plans and networks and calls `load` again. */
  async #withRoom<T>(load: () => Promise<T>): Promise<T> {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      await this.#plans.end('');
      await this.#networks.end('');
      return load();
    }
  }

  get #device(): Device {
    return { name: this.#runtime.device, fallenBack: [...this.#runtime.fallenBack] };
  }

  #model(id: number): FileModel {
    const model = this.#models.get(id);
    if (model) return model;
    throw new InputError(
      'invalid_parameter',
      'model: it is not open in this explainer; open it with openModel',
    );
  }

  async #network(model: FileModel, sides: readonly [number, number] | undefined): Promise<Network> {
    const classifier = await classifierOf(model, readingOf(model, sides));
    const prepared = statedSides(model) === null ? await preparedFor(model) : prepare(model, classifier);
    const session = await this.#runtime.load(forwardGraph(classifier));
    return {
      ...prepared,
      classes: classifier.classes,
      rows: classifier.batch ?? 1,
      run: (image) => session.run({ image }),
      close: () => session.close(),
    };
  }
}

function draw(scenery: Scenery): { overlay: Rgba; heatmap: Rgba; legend: Legend } {
  const { explained, alone, legend } = paint(scenery);
  const { width, height } = scenery.region;
  const heatmap = alone(Math.max(Math.round(width), 1), Math.max(Math.round(height), 1));
  return { overlay: opaqueRgba(explained), heatmap: opaqueRgba(heatmap), legend };
}

/** Repeats one image to a model's fixed batch size. */
function repeated(image: Tensor<'float32'>, count: number): Tensor<'float32'> {
  const data = new Float32Array(image.data.length * count);
  for (let n = 0; n < count; n++) data.set(image.data, n * image.data.length);
  return { ...image, shape: [count, ...image.shape.slice(1)], data };
}

/** Makes a function that gives the milliseconds since its last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const elapsed = now - last;
    last = now;
    return Math.round(elapsed * 100) / 100;
  };
}
