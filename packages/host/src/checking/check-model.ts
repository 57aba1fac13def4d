import {
  type Classifier,
  type ClassifierOptions,
  inspectClassifier,
  type ModelReport,
  type Runtime,
  readClassifier,
  readForReport,
  type Task,
  type Warning,
} from '@whylight/core';
import { type PreprocessingReport, prepare } from '../models/prepare.ts';
import { normalisationBy } from '../models/preprocessing.ts';
import { readingOf } from '../models/reading.ts';
import type { RegisteredModel } from '../models/registered-model.ts';
import { type CheckWatch, checkMethods, type MethodVerdict, notRun } from './check-methods.ts';
import { loadForwardPass } from './forward-pass.ts';
import { plainInput } from './plain-input.ts';

/** What can be done with a model: what its file tells, and what was seen when it ran. */
export interface CheckReport extends Omit<ModelReport, 'methods'> {
  readonly methods: readonly MethodVerdict[];
  /** What the network decides. */
  readonly task: Task;
  /** Each part of how photos become the network's input, with who said it. */
  readonly preprocessing: PreprocessingReport;
  /** What every answer has to say: which parts are assumed, what could not be understood. */
  readonly warnings: readonly Warning[];
  /** Whether photos can become the network's input; or why not. */
  readonly photos: true | string;
  /** Seconds that reading the model and running it were given. */
  readonly budget: number;
}

export interface Checked {
  readonly report: CheckReport;
  readonly classifier: Classifier;
  /** Whether the network gives the same scores each time. */
  readonly deterministic: boolean;
}

export interface CheckOptions extends CheckWatch {
  /** How the model is read; as its manifest says if not told otherwise. */
  readonly reading?: ClassifierOptions | undefined;
  /** Whether a model that scores no classes is checked too, for a number of its output. */
  readonly anyScore?: boolean | undefined;
  /** Told once the network has run, with what is known then: no method has. */
  readonly onStart?: ((checked: Checked) => void) | undefined;
}

/** Seconds that a check takes at most, where nobody says how many. */
export const defaultBudget = 60;

/**
 * Reads a model, runs it, and runs the methods on it.
 *
 * @throws InputError for a model that is refused, or that does not run
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
