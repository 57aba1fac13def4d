import type { Explainer } from '../explainer.ts';
import { graphFileOf, weightsBeside } from '../graph-file.ts';
import type { Sides } from '../image/preprocessing.ts';
import { methods, type ResolvedQuestion } from '../methods/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { classifierOf } from './classifier.ts';
import type { DescribedModel } from './described.ts';
import { explainerFor } from './explainer.ts';
import { type Prepared, prepare, preparedFor } from './prepare.ts';
import { normalisationBy } from './preprocessing.ts';
import { readingOf, statedSides } from './reading.ts';

/** An explainer made for one model, method and input shape, with what a photo needs to get there. */
export interface Plan extends Prepared {
  readonly explainer: Explainer;
  readonly classes: number;
  /** Height and width of a segmenter's maps. */
  readonly pixels: readonly [number, number] | undefined;
  /** Of one image, without the batch. */
  readonly inputShape: readonly number[];
  /** Whether one run of its graph explains many images. */
  readonly direct: boolean;
  /** Size of its graphs, weights included, in bytes. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** What of a question an explainer is made for: one serves all targets. */
export type ExplainerQuestion = Omit<ResolvedQuestion, 'target'>;

/**
 * Compiles the explainer of `model` that answers `question`, for images of those sides, or of the network's own. Where the
 * question names no layer, the manifest's is tried first.
 *
 * @throws InputError
 */
export async function createPlan(
  model: DescribedModel,
  question: ExplainerQuestion,
  sides: Sides | undefined,
  runtime: Runtime,
): Promise<Plan> {
  const classifier = await classifierOf(model, readingOf(model, sides));
  const { classes, inputShape, pixels } = classifier;
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
  const spec = { ...question, normalisation: normalisationBy(preprocessing) };
  const explainer = await explainerFor(classifier, spec, model.manifest.cam_tensor, weighing);
  return {
    ...prepared,
    explainer,
    classes,
    inputShape,
    pixels,
    direct: methods.some((known) => known.id === question.method && !known.sampled),
    bytes,
    close: () => explainer.close(),
  };
}
