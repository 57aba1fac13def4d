import { type Explainer, graphFileOf, InputError, type Runtime, weightsBeside } from '@whylight/core';
import type { Preprocessing } from '@whylight/core/image';
import { isSampled, methods, type ResolvedMethod } from '@whylight/core/methods';
import type { Task } from '../classification/predictions.ts';
import { type ClassNames, classNames, isNameCount } from '../models/class-names.ts';
import { classifierOf } from '../models/classifier.ts';
import { readingOf } from '../models/manifest.ts';
import { normalisationBy, preprocessingFor } from '../models/preprocessing.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import { hintedExplainer } from './explainer.ts';

/** An explainer made for one model, method and input shape, with what a photo needs to get there. */
export interface Plan {
  readonly explainer: Explainer;
  readonly preprocessing: Preprocessing;
  readonly classes: number;
  readonly names: ClassNames;
  readonly task: Task;
  /** Whether one run of its graph explains many images. */
  readonly direct: boolean;
  /** Size of its graphs, weights included, in bytes. */
  readonly bytes: number;
  close(): Promise<void>;
}

/**
 * Compiles the explainer of `model` by `method` for inputs of `shape`. Where no layer is asked for, the manifest's is
 * tried first.
 *
 * @throws InputError
 */
export async function createPlan(
  model: RegisteredModel,
  method: ResolvedMethod,
  layers: readonly string[],
  shape: readonly number[],
  runtime: Runtime,
): Promise<Plan> {
  const classifier = await classifierOf(model, {
    ...readingOf(model, model.assumed ? undefined : shape),
    anySize: model.anySize,
  });
  const { classes } = classifier;
  if (model.labels && !isNameCount(model.labels.length, classes))
    throw new InputError(
      'invalid_model',
      `model ${model.name}: ${classes} classes, but ${model.labels.length} labels`,
    );
  const preprocessing = preprocessingFor(model, classifier);
  let bytes = 0;
  const weighing: Runtime = {
    ...runtime,
    async load(graph) {
      const file = graphFileOf(graph);
      bytes += file.bytes.byteLength + weightsBeside(file);
      return runtime.load(graph);
    },
  };
  const spec = {
    method: method.id,
    convention: method.convention,
    params: method.params,
    score: method.score,
    layers,
    normalisation: normalisationBy(preprocessing),
  };
  const explainer = await hintedExplainer(classifier, spec, model.manifest.cam_tensor, weighing);
  return {
    explainer,
    preprocessing,
    classes,
    names: classNames(model.labels, classes),
    task: classifier.head.task,
    direct: methods.some((known) => known.id === method.id && !isSampled(known)),
    bytes,
    close: () => explainer.close(),
  };
}
