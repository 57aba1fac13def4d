import {
  type Classifier,
  createExplainer,
  float32,
  forwardModel,
  type GraphFile,
  type Runtime,
  sizeOf,
  type Tensor,
} from '@whylight/core';
import type { Normalisation, ResolvedQuestion } from '@whylight/core/methods';
import { captureGraphs } from './capture.ts';
import { type Cost, costOf, median } from './cost.ts';

export interface Subject {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly classifier: Classifier;
  readonly normalisation: Normalisation | undefined;
}

export interface Settings {
  /** Images that are explained at once. */
  readonly batch: number;
  /** Measured runs; one more before them warms up. */
  readonly runs: number;
  /** `false`: compute every row in full. */
  readonly incremental?: boolean | undefined;
}

/** The cost of one method on one model. Ratios are medians over runs, each to the forward pass right before it. */
export interface Measurement {
  readonly model: string;
  readonly method: string;
  readonly batch: number;
  readonly runs: number;
  readonly median_ms: number;
  readonly forward_ms: number;
  readonly ratio: number;
  /** CPU time of all threads. */
  readonly median_cpu_ms: number;
  readonly forward_cpu_ms: number;
  readonly cpu_ratio: number;
  /** Creating the sessions of the rewritten graphs, and the one of the model's own file. */
  readonly session_ms: number;
  readonly model_session_ms: number;
  readonly session_ratio: number;
  /** Graphs that the method runs. */
  readonly graphs: number;
}

/**
 * Measures a method and the model's own forward pass in turn.
 *
 * @throws InputError if the method does not work on the model
 */
export async function measure(
  subject: Subject,
  question: ResolvedQuestion,
  { batch, runs, incremental }: Settings,
  runtime: Runtime,
): Promise<Measurement> {
  const { classifier, normalisation } = subject;
  const images = noise([batch, ...classifier.inputShape]);
  const targets = Array<number>(batch).fill(-1);
  const capture = captureGraphs(runtime);
  const explainer = await createExplainer(
    classifier,
    { ...question, normalisation, incremental },
    capture.runtime,
  );
  const own = ownModel(subject);
  const forward = await runtime.load(own.bytes);
  const pairs: [forward: Cost, explained: Cost][] = [];
  try {
    const explain = () => explainer.attribute(images, targets);
    const pass = () => forward.run({ [own.input]: images });
    await pass();
    await explain();
    for (let run = 0; run < runs; run++) pairs.push([await costOf(pass), await costOf(explain)]);
  } finally {
    await Promise.all([forward.close(), explainer.close()]);
  }
  const sessions: [own: Cost, rewritten: Cost][] = [];
  for (let run = 0; run < Math.min(runs, 3); run++)
    sessions.push([
      await costOf(() => opened(runtime, [own.bytes])),
      await costOf(() => opened(runtime, capture.graphs)),
    ]);
  const rounded = (value: number) => Number(value.toPrecision(4));
  const of = (all: readonly (readonly [Cost, Cost])[], side: 0 | 1, kind: keyof Cost) =>
    rounded(median(all.map((pair) => pair[side][kind])));
  const ratio = (all: readonly (readonly [Cost, Cost])[], kind: keyof Cost) =>
    rounded(median(all.map(([base, cost]) => cost[kind] / base[kind])));
  return {
    model: subject.name,
    method: question.method,
    batch,
    runs,
    median_ms: of(pairs, 1, 'wall'),
    forward_ms: of(pairs, 0, 'wall'),
    ratio: ratio(pairs, 'wall'),
    median_cpu_ms: of(pairs, 1, 'cpu'),
    forward_cpu_ms: of(pairs, 0, 'cpu'),
    cpu_ratio: ratio(pairs, 'cpu'),
    session_ms: of(sessions, 1, 'wall'),
    model_session_ms: of(sessions, 0, 'wall'),
    session_ratio: ratio(sessions, 'wall'),
    graphs: capture.graphs.length,
  };
}

/** The file unchanged; a model that takes float16 cannot take the same images, and runs as float32. */
const ownModel = ({ bytes, classifier }: Subject): { bytes: Uint8Array; input: string } =>
  classifier.input.dtype === 'float32'
    ? { bytes, input: classifier.input.name }
    : { bytes: forwardModel(classifier), input: 'image' };

async function opened(runtime: Runtime, graphs: readonly (Uint8Array | GraphFile)[]): Promise<void> {
  for (const graph of graphs) await (await runtime.load(graph)).close();
}

/** Pseudo-random pixels: the time does not depend on what a picture shows. */
function noise(shape: readonly number[]): Tensor<'float32'> {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 12.9898) * 2);
  return float32(shape, data);
}
