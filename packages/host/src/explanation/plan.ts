import { type Explainer, graphFileOf, type Runtime, weightsBeside } from '@whylight/core';
import type { Sides } from '@whylight/core/image';
import { methods, type ResolvedMethod } from '@whylight/core/methods';
import { classifierOf } from '../models/classifier.ts';
import { type Prepared, prepare, preparedFor } from '../models/prepare.ts';
import { normalisationBy } from '../models/preprocessing.ts';
import { readingOf, statedSides } from '../models/reading.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import { hintedExplainer } from './explainer.ts';

/** An explainer made for one model, method and input shape, with what a photo needs to get there. */
export interface Plan extends Prepared {
  readonly explainer: Explainer;
  readonly classes: number;
  /** Whether one run of its graph explains many images. */
  readonly direct: boolean;
  /** Size of its graphs, weights included, in bytes. */
  readonly bytes: number;
  close(): Promise<void>;
}

/**
 * Compiles the explainer of `model` by `method` for images of those sides, or of the network's own. Where no layer is asked for, the manifest's is
 * tried first.
 *
 * @throws InputError
 */
export async function createPlan(
  model: RegisteredModel,
  method: ResolvedMethod,
  layers: readonly string[],
  sides: Sides | undefined,
  runtime: Runtime,
): Promise<Plan> {
  const classifier = await classifierOf(model, readingOf(model, sides));
  const { classes } = classifier;
  // Where the size is the photo's, it is not the network's own.
  const prepared = statedSides(model) === null ? await preparedFor(model) : prepare(model, classifier);
  const { preprocessing } = prepared;
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
    ...prepared,
    explainer,
    classes,
    direct: methods.some((known) => known.id === method.id && !known.sampled),
    bytes,
    close: () => explainer.close(),
  };
}
