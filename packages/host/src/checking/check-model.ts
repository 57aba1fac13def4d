import type { PreprocessingReport, Task, Warning } from '@whylight/contract';
import {
  type Classifier,
  type ClassifierOptions,
  inspectClassifier,
  type ModelReport,
  type Runtime,
  readClassifier,
  readForReport,
} from '@whylight/core';
import { normalisationBy, prepare, readingOf } from '@whylight/core/preparation';
import type { RegisteredModel } from '../models/registered-model.ts';
import { type CheckWatch, checkMethods, type MethodVerdict, notRun } from './check-methods.ts';
import { loadForwardPass } from './forward-pass.ts';
import { plainInput } from './plain-input.ts';

/** The report on a model: what its file states, and which methods ran on it. */
export interface CheckReport extends Omit<ModelReport, 'methods'> {
  readonly methods: readonly MethodVerdict[];
  /** What the network decides. */
  readonly task: Task;
  /** Each part of the preprocessing, with who stated it. */
  readonly preprocessing: PreprocessingReport;
  /** The warnings of every answer: assumed parts, and statements that Whylight does not understand. */
  readonly warnings: readonly Warning[];
  /** True if photos can become the input of the network, else the reason why they cannot. */
  readonly photos: true | string;
  /** Seconds that the check had for reading and running the model. */
  readonly budget: number;
}

export interface Checked {
  readonly report: CheckReport;
  readonly classifier: Classifier;
  /** Whether the network gives the same scores each time. */
  readonly deterministic: boolean;
}

export interface CheckOptions extends CheckWatch {
  /** How to read the model. Default: as its manifest says. */
  readonly reading?: ClassifierOptions | undefined;
  /** Whether to check also a model that scores no classes, for a number of its output. */
  readonly anyScore?: boolean | undefined;
  /** Called when the network has run and no method has, with the report so far. */
  readonly onStart?: ((checked: Checked) => void) | undefined;
}

/** The default for the most seconds that a check takes. */
export const defaultBudget = 60;

/**
 * Reads a model, runs it, and runs the methods on it.
 *
 * @throws InputError if the model is invalid or does not run
 */
export async function checkModel(
  model: RegisteredModel,
  runtime: Runtime,
  { reading = readingOf(model), anyScore = false, onStart, ...watch }: CheckOptions,
): Promise<Checked> {
  const begun = performance.now();
  const read = anyScore ? readForReport : readClassifier;
  const classifier = read(await model.file(), reading);
  const report = inspectClassifier(classifier);
  const prepared = prepare(model, classifier);
  const { input, photos } = plainInput(prepared.preprocessing, classifier);
  const forward = await loadForwardPass(classifier, input, runtime);
  try {
    const { deterministic } = forward;
    const checked = (methods: readonly MethodVerdict[]): Checked => ({
      report: {
        ...report,
        methods,
        recommended: report.recommended.filter((id) => methods.some((m) => m.id === id && m.works !== false)),
        task: classifier.head.task,
        preprocessing: prepared.report,
        warnings: prepared.warnings,
        photos,
        budget: watch.budget,
      },
      classifier,
      deterministic,
    });
    onStart?.(
      checked(report.methods.map((method) => (method.works ? notRun(method, 'not run yet') : method))),
    );
    const normalisation = photos === true ? normalisationBy(prepared.preprocessing) : undefined;
    const camTensor = model.manifest.cam_tensor;
    const spent = (performance.now() - begun) / 1000;
    const check = { classifier, input, forward, normalisation, camTensor, spent };
    return checked(await checkMethods(report.methods, check, watch));
  } finally {
    await forward.close();
  }
}
