import type { ModelFacts, ModelReport, Validation } from '@whylight/contract';
import { largestFile, type Runtime } from '@whylight/core';
import { numericsVersion } from '@whylight/core/methods';
import {
  type Checked,
  type CheckReport,
  checkModel,
  type MethodVerdict,
  type RegisteredModel,
  readingOf,
} from '@whylight/host';
import { knownLayers } from '../layer-names.ts';
import { factsOf } from '../verdicts.ts';

/** Names of one kind that a report lists; if a model has more, the first of them. */
const most = 200;
/** Stricter limits than for models that the operator has installed. */
const limits = { nodes: 50_000, elements: 2 ** 26, bytes: largestFile, weights: largestFile };

/** Gets what the examination finds on its way, so that it counts even if the process ends. */
export interface ExaminationWatch {
  /** Seconds that it may take in all. */
  readonly budget: number;
  /** The network has run, no method has. */
  readonly onStart: (found: Validation) => void;
  readonly onMethod: (id: string) => void;
  readonly onVerdict: (verdict: MethodVerdict) => void;
}

/**
 * Examines a tenant's model: whether ONNX Runtime runs it, with the same scores each time, and which methods run on
 * it.
 *
 * @throws InputError for a model that is refused
 */
export async function examine(
  model: RegisteredModel,
  runtime: Runtime,
  { budget, onStart, onMethod, onVerdict }: ExaminationWatch,
): Promise<Validation> {
  const reading = { ...readingOf(model), limits };
  const checked = await checkModel(model, runtime, {
    reading,
    budget,
    onStart: (started) => onStart(validationOf(model, started)),
    onMethod,
    onVerdict,
  });
  return validationOf(model, checked);
}

function validationOf(model: RegisteredModel, { report, classifier, deterministic }: Checked): Validation {
  const facts: ModelFacts = {
    preprocessing: model.preprocessingDigest,
    classes: report.classes,
    input_shape: [...report.input_shape],
    ...factsOf(report.methods),
    numerics_version: numericsVersion,
    deterministic,
    layers: knownLayers(model, classifier),
    task: classifier.head.task,
  };
  return { outcome: 'ready', report: boundReport(report), facts };
}

const boundReport = (report: CheckReport): ModelReport => ({
  ...report,
  inputs: report.inputs.map((input) => ({ ...input, shape: [...input.shape] })),
  outputs: report.outputs.slice(0, most),
  input_shape: [...report.input_shape],
  layers: report.layers.slice(0, most).map(({ name, shape }) => ({ name, shape: [...shape] })),
  unsupported: report.unsupported
    .slice(0, most)
    .map(({ op, nodes }) => ({ op, nodes: nodes.slice(0, most) })),
  // The API's report has no member for axioms: `reason` says if an axiom does not hold.
  methods: report.methods.map(({ id, works, reason }) => ({ id, works, reason })),
  recommended: [...report.recommended],
  notes: [...report.notes],
});
