import {
  type Classifier,
  type ClassifierOptions,
  createExplainer,
  type Explainer,
  type ExplainerSpec,
  forwardModel,
  type Runtime,
  readClassifier,
  type Session,
  stacked,
  type Tensor,
} from '@whylight/core';
import { floatMap, resizeMap } from '@whylight/core/image';
import { randomisableLayers, randomised, relativeScorer, scorerOf } from '@whylight/core/metrics';
import type { Explained } from './metrics.ts';
import type { Subject } from './subjects.ts';

/** The network under explanation, opened once. */
export interface Network {
  readonly classifier: Classifier;
  readonly bytes: Uint8Array;
  readonly reading: ClassifierOptions;
  readonly forward: Session;
  readonly runtime: Runtime;
  readonly width: number;
  readonly height: number;
}

export async function openNetwork(
  bytes: Uint8Array,
  reading: ClassifierOptions,
  runtime: Runtime,
): Promise<Network> {
  const classifier = readClassifier(bytes, reading);
  const [a, b, c] = classifier.inputShape as [number, number, number];
  const [height, width] = classifier.layout === 'NCHW' ? [b, c] : [a, b];
  const forward = await runtime.load(forwardModel(classifier));
  return { classifier, bytes, reading, runtime, width, height, forward };
}

/** A method's explanations of the subjects, one after another. */
export async function* explanations(
  network: Network,
  spec: ExplainerSpec,
  subjects: readonly Subject[],
  wantRandomised: boolean,
): AsyncGenerator<Explained> {
  const { classifier, bytes, reading, runtime } = network;
  const explainer = await createExplainer(classifier, spec, runtime);
  const other = wantRandomised ? await randomisedExplainer(bytes, reading, spec, runtime) : null;
  try {
    let warm = false;
    for (const subject of subjects) {
      const { input, target } = subject;
      if (!warm) await explainer.attribute(input, [target]);
      warm = true;
      const start = performance.now();
      const { attribution, targets, convergenceDelta } = await explainer.attribute(input, [target]);
      const milliseconds = performance.now() - start;
      const chosen = targets[0]!;
      const ofMap = (answer: Tensor<'float32'>) => mapOf(answer, network);
      yield {
        ...(await about(network, { ...subject, target: chosen })),
        map: ofMap(attribution),
        attribution: attribution.shape.join() === input.shape.join() ? attribution.data : null,
        convergenceDelta: convergenceDelta?.[0] ?? null,
        milliseconds,
        again: async (images) =>
          (await explainer.attribute(images, Array(images.shape[0]!).fill(chosen))).attribution.data,
        mapAgain: async (image) => ofMap((await explainer.attribute(image, [chosen])).attribution),
        randomised: other && (async () => ofMap((await other.attribute(input, [chosen])).attribution)),
      };
    }
  } finally {
    await explainer.close();
    await other?.close();
  }
}

function randomisedExplainer(
  bytes: Uint8Array,
  reading: ClassifierOptions,
  spec: ExplainerSpec,
  runtime: Runtime,
): Promise<Explainer> {
  const noise = randomised(bytes, randomisableLayers(bytes).length);
  return createExplainer(readClassifier(noise, reading), spec, runtime);
}

/** Gives a baseline map the form of a method's explanation. */
export async function baseline(network: Network, subject: Subject, map: Float32Array): Promise<Explained> {
  const target = subject.target >= 0 ? subject.target : await predicted(network, subject);
  return {
    ...(await about(network, { ...subject, target })),
    map,
    attribution: null,
    convergenceDelta: null,
    milliseconds: null,
    again: null,
    mapAgain: null,
    randomised: null,
  };
}

/** Finds the class that scores highest, of all or of some classes. */
export async function predicted(
  { forward, classifier }: Network,
  { input, among }: Pick<Subject, 'input' | 'among'>,
): Promise<number> {
  const { batch = 1, classes } = classifier;
  const rows = stacked(Array<Tensor<'float32'>>(batch).fill(input));
  const { logits } = await forward.run({ image: rows });
  const own = (logits as Tensor<'float32'>).data.subarray(0, classes);
  const known = among?.filter((index) => index < classes) ?? [...own.keys()];
  return known.reduce((best, index) => (own[index]! > own[best]! ? index : best), known[0]!);
}

async function about({ classifier: { layout, batch, head }, forward, width }: Network, subject: Subject) {
  const { target, input } = subject;
  const logit = scorerOf(forward, { target, score: 'logit', batch });
  return {
    subject,
    layout,
    width,
    confidence:
      head.kind === 'number'
        ? await relativeScorer(logit, input)
        : scorerOf(forward, { target, score: 'probability', batch }),
    logit,
  };
}

/** Relevance per pixel: a map as it is, attributions of elements as the magnitude of their sum over channels. */
function mapOf({ shape, data }: Tensor<'float32'>, { classifier, width, height }: Network): Float32Array {
  const plain = shape.length === 3;
  const last = !plain && classifier.layout === 'NHWC';
  const [rows, columns] = (last ? shape.slice(1, 3) : shape.slice(-2)) as [number, number];
  const pixels = rows * columns;
  const channels = data.length / pixels;
  const map = new Float32Array(pixels);
  for (let i = 0; i < data.length; i++) map[last ? Math.trunc(i / channels) : i % pixels]! += data[i]!;
  if (!plain)
    map.forEach((value, i) => {
      map[i] = Math.abs(value);
    });
  return rows === height && columns === width
    ? map
    : resizeMap(floatMap(columns, rows, map), width, height, 'bilinear').data;
}
