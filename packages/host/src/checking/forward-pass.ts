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

/** The network, loaded once for everything that runs it. */
export interface ForwardPass {
  /** A runtime that returns the existing session when somebody loads this graph again. */
  readonly runtime: Runtime;
  /** Whether the network gives the same scores each time. */
  readonly deterministic: boolean;
  close(): Promise<void>;
}

/** Loads the network and runs it twice on one image. @throws InputError if ONNX Runtime cannot run it */
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

/** The most copies of its weights that a session holds: the original, a packed one, and a transposed one for the backward pass. */
const copies = 3;

/** The system kills a process that runs out of memory, without a message. So this refuses what cannot fit. */
function loadWithin(memory: number, graph: GraphFile, runtime: Runtime): Promise<Session> {
  const needed = copies * weightsBeside(graph);
  if (needed <= memory) return runtime.load(graph);
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new OutOfMemoryError(
    `the model may need ${megabytes(needed)}, but only ${megabytes(memory)} are free`,
  );
}

/** Says whether two graphs of one classifier are equal. All graphs of a classifier share its weights. */
const isSame = (a: GraphFile, b: GraphFile): boolean =>
  Buffer.compare(a.bytes, b.bytes) === 0 &&
  Array.from(a.weights).every(([location, { buffer, byteOffset, byteLength }]) => {
    const other = b.weights.get(location);
    return other?.buffer === buffer && other.byteOffset === byteOffset && other.byteLength === byteLength;
  });

const scoresOf = async (session: Session, image: Tensor<'float32'>): Promise<Float32Array> =>
  (await session.run({ image })).logits!.data as Float32Array;

/** Repeats the image to fill the batch that the network takes. */
function repeated({ shape, data }: Tensor<'float32'>, batch: number): Tensor<'float32'> {
  const all = new Float32Array(data.length * batch);
  for (let n = 0; n < batch; n++) all.set(data, n * data.length);
  return float32([batch, ...shape.slice(1)], all);
}
