import { InputError } from '../errors.ts';
import { canonicalize, type Interventions } from '../lowering/canonicalize.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { ShapeError } from '../onnx/fact.ts';
import { type Node, reachable, type ValueInfo } from '../onnx/graph.ts';
import { listed, quoted } from '../onnx/names.ts';
import { defaultLimits, type ModelFile, type ReadLimits, readModel } from '../onnx/read.ts';
import { getOwn } from '../own.ts';
import { type FixedInputs, fixedValue, imageInput } from './inputs.ts';
import { flatScores, scoreBefore } from './scores.ts';

export interface ClassifierOptions {
  /** What follows the batch where the model leaves it open; [3, 224, 224] if not said. */
  readonly inputShape?: readonly number[] | undefined;
  /** Whether `inputShape` also takes the place of a size that the file states, as far as the network can follow. */
  readonly anySize?: boolean | undefined;
  /** What the inputs beside the image are fixed to, by name; a model that has some needs a value for each. */
  readonly inputs?: FixedInputs | undefined;
  /** The output to explain; if not said, the first that scores classes. */
  readonly output?: string | undefined;
  readonly limits?: Partial<ReadLimits> | undefined;
}

/** A model that takes a batch of images and scores classes. */
export interface Classifier {
  readonly file: ModelFile;
  readonly input: ValueInfo;
  /** Without the batch: [C, H, W], or [H, W, C] if the layout says so. */
  readonly inputShape: readonly number[];
  readonly layout: 'NCHW' | 'NHWC';
  readonly classes: number;
  /** The batch size that the model has baked in, if any. */
  readonly batch: number | undefined;
  /** What a user should know: which score is explained, what was converted. */
  readonly notes: readonly string[];
  /** The network over the images that `feed` makes, in a fresh graph; with values inside replaced, if asked. */
  inline(feed: (g: GraphBuilder) => Value, interventions?: Interventions): Network;
}

/** A classifier inside a graph under construction. */
export interface Network {
  readonly g: GraphBuilder;
  readonly image: Value;
  /** Scores [rows, classes], before any final Softmax. */
  readonly logits: Value;
  /** Where a tensor name of the file went. */
  resolve(name: Value): Value;
}

/**
 * Reads an ONNX classifier.
 *
 * @throws InputError when the file is refused (see `readModel`) or does not look like an image classifier
 */
export function readClassifier(bytes: Uint8Array, options: ClassifierOptions = {}): Classifier {
  const limits = { ...defaultLimits, ...options.limits };
  const file = readModel(bytes, limits);
  const fixed = options.inputs ?? {};
  const input = imageInput(file.graph.inputs, fixed);
  const inputShape = shapeOf(input, options.inputShape, options.anySize);
  const { outputs } = file.graph;
  const refused = options.output === undefined ? undefined : file.refused.get(options.output);
  if (refused) throw refused;
  if (options.output !== undefined && !outputs.includes(options.output))
    throw new InputError(
      'invalid_model',
      `the model has no output ${quoted(options.output)}; it has ${outputs.map(quoted).join(', ')}`,
    );
  const openOf = (output: string) => (batch: number | undefined) =>
    inlining(file, { input, fixed, output, batch });
  const probe = (g: GraphBuilder) => g.input(input.name, 'float32', [-1, ...inputShape]);
  const baked = typeof input.shape[0] === 'number' ? input.shape[0] : 1;
  const { output, network, batch } = firstThatScores(
    options.output === undefined ? outputs : [options.output],
    (name) => ({ output: name, ...probed(openOf(name), probe, baked) }),
  );
  checkSizes(network.g, limits);
  const scores = network.g.shape(network.logits);
  const notes: string[] = [];
  const others = [...outputs, ...file.refused.keys()].filter((name) => name !== output);
  if (others.length > 0)
    notes.push(`output ${quoted(output)} is explained; the model also gives ${listed(others)}`);
  const set = Object.keys(fixed);
  if (set.length > 0) notes.push(`${listed(set)} ${set.length > 1 ? 'are' : 'is'} fixed to the values given`);
  if (network.softmax)
    notes.push(
      `the model ends in ${network.softmax.op} (node ${quoted(network.softmax.name)}): the score before it is explained`,
    );
  if (input.dtype === 'float16') notes.push('the model is float16: it is explained in float32');
  if (batch !== undefined) notes.push(`the model takes batches of ${batch} only`);
  return {
    file,
    input,
    inputShape,
    layout: inputShape.at(-1)! <= 4 && inputShape[0]! > 4 ? 'NHWC' : 'NCHW',
    classes: scores[1]!,
    batch,
    notes,
    inline: told(openOf(output)(batch)),
  };
}

/** Contradictions that only show at another number of images, or where something inside is replaced, as refusals. */
const told =
  (inline: Classifier['inline']): Classifier['inline'] =>
  (feed, interventions) => {
    try {
      return inline(feed, interventions);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw interventions ? notFromInside([...interventions.keys()], error) : contradiction(error);
    }
  };

/** What is no fault of the model: it holds only with the values that the model itself makes. */
const notFromInside = (replaced: readonly Value[], { message }: ShapeError): InputError =>
  new InputError(
    'method_not_supported',
    `the network cannot be run with other rows in the place of ${listed(replaced)} (${message}); choose another layer, or a method that needs none`,
  );

const contradiction = ({ message }: ShapeError): InputError =>
  new InputError('invalid_model', `the model's shapes contradict each other: ${message}`);

function shapeOf(
  input: ValueInfo,
  wanted: readonly number[] | undefined,
  anySize = false,
): readonly number[] {
  if (anySize && wanted) return wanted;
  const fallback = wanted ?? (input.shape[3] === 3 ? [224, 224, 3] : [3, 224, 224]);
  return input.shape.slice(1).map((d, i) => {
    if (typeof d === 'string') return fallback[i]!;
    if (wanted && wanted[i] !== d)
      throw new InputError(
        'invalid_model',
        `the model takes [N, ${input.shape.slice(1).join(', ')}], asked for [N, ${wanted.join(', ')}]`,
      );
    return d;
  });
}

type Probed = Network & { readonly softmax: Node | undefined };

/** Opens the batch if the model lets it; some have a size baked into a Reshape. */
function probed(
  open: (batch: number | undefined) => (feed: (g: GraphBuilder) => Value) => Probed,
  feed: (g: GraphBuilder) => Value,
  baked: number,
) {
  let first: unknown;
  try {
    const network = open(undefined)(feed);
    if (network.g.shape(network.logits)[0] === -1) return { network, batch: undefined };
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof InputError && error.code === 'invalid_model'))
      throw error;
    first = error;
  }
  try {
    return { network: open(baked)(feed), batch: baked };
  } catch (error) {
    if (first instanceof InputError) throw first;
    throw error instanceof ShapeError ? contradiction(error) : error;
  }
}

interface Inlining {
  readonly input: ValueInfo;
  readonly fixed: FixedInputs;
  readonly output: string;
  readonly batch: number | undefined;
}

/** The network in a fresh graph, over what `feed` makes there. */
const inlining =
  ({ graph }: ModelFile, { input, fixed, output, batch }: Inlining) =>
  (feed: (g: GraphBuilder) => Value, interventions?: Interventions): Probed => {
    let image = input.name;
    const { builder: g, resolve } = canonicalize(
      { ...graph, nodes: reachable(graph.nodes, [output]), outputs: [output] },
      (g) => {
        image = feed(g);
        const values = graph.inputs
          .filter(({ name }) => name !== input.name)
          .map(
            (info) =>
              [
                info.name,
                fixedValue(g, info, getOwn(fixed, info.name)!, { info: input, value: image }),
              ] as const,
          );
        return new Map([[input.name, image], ...values]);
      },
      batch,
      interventions,
    );
    const { score, softmax } = scoreBefore(g, resolve(output));
    return {
      g,
      image,
      logits: flatScores(g, score, output, interventions ? undefined : image),
      resolve,
      softmax,
    };
  };

/** Of a model with more outputs than this, one has to be named. */
const triedOutputs = 16;

/** What `read` makes of the first output that it does not refuse; if it refuses all, what it says of the first. */
function firstThatScores<T>(outputs: readonly string[], read: (output: string) => T): T {
  let first: unknown;
  for (const output of outputs.slice(0, triedOutputs))
    try {
      return read(output);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      first ??= error;
    }
  throw first;
}

function checkSizes(g: GraphBuilder, { elements }: ReadLimits): void {
  const largest = g.largest();
  if (largest && largest.elements > elements)
    throw new InputError(
      'model_too_large',
      `value ${quoted(largest.value)} has ${largest.elements} elements per image, at most ${elements} are allowed`,
    );
}
