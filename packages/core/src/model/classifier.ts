import { InputError } from '../errors.ts';
import { canonicalize, type Interventions } from '../lowering/canonicalize.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { ShapeError } from '../onnx/fact.ts';
import { reachable, type ValueInfo } from '../onnx/graph.ts';
import { listed, quoted } from '../onnx/names.ts';
import { defaultLimits, type ModelFile, type ReadLimits, readModel } from '../onnx/read.ts';
import { getOwn } from '../own.ts';
import type { Warning } from '../warning.ts';
import { type Decision, decideHead, type Head, type Task } from './head.ts';
import { type FixedInputs, fixedValue, imageInput } from './inputs.ts';
import { taskOfMetadata } from './output-names.ts';
import { headNotes, likeliestOutput, rankedScores } from './outputs.ts';
import { flatScores, Scores } from './scores.ts';

export interface ClassifierOptions {
  /** What follows the batch where the model leaves it open; [3, 224, 224] if not said. */
  readonly inputShape?: readonly number[] | undefined;
  /** Whether `inputShape` also takes the place of a size that the file states, as far as the network can follow. */
  readonly anySize?: boolean | undefined;
  /** What the inputs beside the image are fixed to, by name; a model that has some needs a value for each. */
  readonly inputs?: FixedInputs | undefined;
  /** The output to explain; if not said, the likeliest to score classes (`likeliestOutput`). */
  readonly output?: string | undefined;
  /** What the model is for, where its file does not tell: logits of sigmoids look like those of a softmax. */
  readonly task?: Task | undefined;
  /** How many class names the model has: an output with as many columns scores them. */
  readonly labels?: number | undefined;
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
  /** What the scores are. */
  readonly head: Head;
  /** The batch size that the model has baked in, if any. */
  readonly batch: number | undefined;
  /** What a user should know: which score is explained, what was converted. */
  readonly notes: readonly Warning[];
  /** The network over the images that `feed` makes, in a fresh graph; with values inside replaced, if asked. */
  inline(feed: (g: GraphBuilder) => Value, interventions?: Interventions): Network;
}

/** A classifier inside a graph under construction. */
export interface Network {
  readonly g: GraphBuilder;
  readonly image: Value;
  /** What is explained unless another score is asked for, [rows, classes]: before the last squashing function. */
  readonly logits: Value;
  /** Scores of every kind, and the model's own probabilities. */
  readonly scores: Scores;
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
  const { labels, task = taskOfMetadata(file.metadata) } = options;
  const openOf = (output: string) => (batch: number | undefined) =>
    inlining(file, { input, fixed, output, batch, labels, task });
  const probe = (g: GraphBuilder) => g.input(input.name, 'float32', [-1, ...inputShape]);
  const baked = typeof input.shape[0] === 'number' ? input.shape[0] : 1;
  const found = likeliestOutput(options.output === undefined ? outputs : [options.output], labels, (name) => {
    const { network, batch } = probed(openOf(name), probe, baked);
    const { head, ranks } = network;
    return { output: name, network, batch, head, ranks, classes: network.g.shape(network.logits)[1]! };
  });
  const { output, network, batch, head, classes } = found;
  checkSizes(network.g, limits);
  const others = [...outputs, ...file.refused.keys()].filter((name) => name !== output);
  const notes: Warning[] = [...headNotes(found, others)];
  const tell = (code: string, message: string) => notes.push({ code, message });
  const set = Object.keys(fixed);
  if (set.length > 0)
    tell('inputs_fixed', `${listed(set)} ${set.length > 1 ? 'are' : 'is'} fixed to the values given`);
  if (input.dtype === 'float16')
    tell('computed_in_float32', 'the model is float16: it is explained in float32');
  if (batch !== undefined) tell('batch_fixed', `the model takes batches of ${batch} only`);
  return {
    file,
    input,
    inputShape,
    layout: inputShape.at(-1)! <= 4 && inputShape[0]! > 4 ? 'NHWC' : 'NCHW',
    classes,
    head: { kind: head.kind, task: head.task, output, others },
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

type Probed = Network & { readonly head: Decision; readonly ranks: boolean };

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
  readonly labels: number | undefined;
  readonly task: Task | undefined;
}

/** The network in a fresh graph, over what `feed` makes there. */
const inlining =
  ({ graph }: ModelFile, { input, fixed, output, batch, labels, task }: Inlining) =>
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
    const { value, ranks } = rankedScores(g, resolve(output), output);
    const given = flatScores(g, value, output, interventions ? undefined : image);
    const head = decideHead(g, given, g.shape(given)[1]!, { name: output, labels, task });
    const scores = new Scores(g, given, head);
    return { g, image, logits: scores.logits, scores, resolve, head, ranks };
  };

function checkSizes(g: GraphBuilder, { elements }: ReadLimits): void {
  const largest = g.largest();
  if (largest && largest.elements > elements)
    throw new InputError(
      'model_too_large',
      `value ${quoted(largest.value)} has ${largest.elements} elements per image, at most ${elements} are allowed`,
    );
}
