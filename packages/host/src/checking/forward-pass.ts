import {
  type Classifier,
  float32,
  forwardGraph,
  type GraphFile,
  graphFileOf,
  OutOfMemoryError,
  type Runtime,
  type Session,
  type Tensor,
  weightsBeside,
} from '@whylight/core';

/** The network itself, loaded once for all that runs it. */
export interface ForwardPass {
  /** The runtime, which answers whoever loads this very graph with the session that is there already. */
  readonly runtime: Runtime;
  /** Whether the network gives the same scores each time. */
  readonly deterministic: boolean;
  close(): Promise<void>;
}

/** Loads the network and runs it twice on one image. @throws InputError where ONNX Runtime cannot */
export async function loadForwardPass(
  classifier: Classifier,
  image: Tensor<'float32'>,
  runtime: Runtime,
): Promise<ForwardPass> {
  const graph = forwardGraph(classifier);
  const session = await runtime.load(graph);
  const images = repeated(image, classifier.batch ?? 1);
  try {
    const [once, again] = [await scoresOf(session, images), await scoresOf(session, images)];
    return {
      runtime: {
        ...runtime,
        load: async (model) =>
          isSame(graphFileOf(model), graph)
            ? { run: (feeds) => session.run(feeds), close: async () => undefined }
            : loadWithin(process.availableMemory(), graphFileOf(model), runtime),
      },
      deterministic: once.every((score, i) => Object.is(score, again[i])),
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** What a session takes at most of its weights: as they are, packed, and turned for a backward pass. */
const copies = 3;

/** A process that runs out of memory is ended, and tells nobody why: what cannot fit is not tried. */
function loadWithin(memory: number, graph: GraphFile, runtime: Runtime): Promise<Session> {
  const needed = copies * weightsBeside(graph);
  if (needed <= memory) return runtime.load(graph);
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new OutOfMemoryError(`it may need ${megabytes(needed)}, and ${megabytes(memory)} are free`);
}

/** Whether two graphs of one classifier are one: its weights are where they are, for every graph of it. */
const isSame = (a: GraphFile, b: GraphFile): boolean =>
  Buffer.compare(a.bytes, b.bytes) === 0 &&
  Array.from(a.weights).every(([location, { buffer, byteOffset, byteLength }]) => {
    const other = b.weights.get(location);
    return other?.buffer === buffer && other.byteOffset === byteOffset && other.byteLength === byteLength;
  });

const scoresOf = async (session: Session, image: Tensor<'float32'>): Promise<Float32Array> =>
  (await session.run({ image })).logits!.data as Float32Array;

/** The image as often as the network takes images at once. */
function repeated({ shape, data }: Tensor<'float32'>, batch: number): Tensor<'float32'> {
  const all = new Float32Array(data.length * batch);
  for (let n = 0; n < batch; n++) all.set(data, n * data.length);
  return float32([batch, ...shape.slice(1)], all);
}
