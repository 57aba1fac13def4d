import type { ModelReport, Validation } from '@whylight/contract';
import { float32, forwardModel, inspect, type Runtime, readClassifier, type Tensor } from '@whylight/core';
import { prepare, type RegisteredModel, readingOf } from '@whylight/host';
import { knownLayers } from '../layer-names.ts';

/** Names that a report lists of one kind; of a model with more, the first. */
const most = 200;
/** Stricter than for models that the operator has put there. */
const limits = { nodes: 50_000, elements: 2 ** 26 };

/**
 * What can be done with a tenant's model: its report, and whether ONNX Runtime runs it, to the same scores each time.
 *
 * @throws InputError for a model that is refused
 */
export async function examine(model: RegisteredModel, runtime: Runtime): Promise<Validation> {
  const bytes = await model.bytes();
  const options = { ...readingOf(model), limits };
  const report = inspect(bytes, options);
  const classifier = readClassifier(bytes, options);
  // What is said of it has to be true of it, before anybody asks.
  prepare(model, classifier);
  const session = await runtime.load(forwardModel(classifier));
  try {
    const image = noise([classifier.batch ?? 1, ...classifier.inputShape]);
    const once = scoresOf(await session.run({ image }));
    const again = scoresOf(await session.run({ image }));
    return {
      outcome: 'ready',
      report: bounded(report),
      facts: {
        preprocessing: model.preprocessingDigest,
        classes: report.classes,
        input_shape: [...report.input_shape],
        methods: Object.fromEntries(
          report.methods.map(({ id, works, reason }) => [id, works ? null : (reason ?? '')]),
        ),
        deterministic: once.every((score, i) => Object.is(score, again[i])),
        layers: knownLayers(model, classifier),
        task: classifier.head.task,
      },
    };
  } finally {
    await session.close();
  }
}

const scoresOf = (outputs: Readonly<Record<string, Tensor>>): Float32Array =>
  outputs.logits!.data as Float32Array;

/** Values about 0, as a normalised photo has them, and the same each time. */
const noise = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => 2 * Math.sin(i * 12.9898) * Math.cos(i * 78.233),
    ),
  );

const bounded = (report: ReturnType<typeof inspect>): ModelReport => ({
  ...report,
  inputs: report.inputs.map((input) => ({ ...input, shape: [...input.shape] })),
  outputs: report.outputs.slice(0, most),
  input_shape: [...report.input_shape],
  layers: report.layers.slice(0, most).map(({ name, shape }) => ({ name, shape: [...shape] })),
  unsupported: report.unsupported
    .slice(0, most)
    .map(({ op, nodes }) => ({ op, nodes: nodes.slice(0, most) })),
  // The API's report has no member for axioms: `reason` says where one does not hold.
  methods: report.methods.map(({ id, works, reason }) => ({ id, works, reason })),
  notes: [...report.notes],
});
