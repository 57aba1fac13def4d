import { InputError } from '../errors.ts';
import type { GraphFile } from '../graph-file.ts';
import { canonicalize, graphFor, type Interventions } from '../lowering/canonicalize.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { unsqueeze } from '../onnx/emit.ts';
import { ShapeError } from '../onnx/fact.ts';
import { reachable, type ValueInfo } from '../onnx/graph.ts';
import { defaultLimits, type ReadLimits } from '../onnx/limits.ts';
import { listed, quoted } from '../onnx/names.ts';
import { type ModelFile, readModel } from '../onnx/read.ts';
import { getOwn } from '../own.ts';
import type { Warning } from '../warning.ts';
import { classMaps, type RegionOf, RegionScores } from './class-maps.ts';
import { type FirstOperations, firstOperations } from './first-operations.ts';
import { type Decision, decideHead, type Head, plainNumber } from './head.ts';
import {
  asInFile,
  type ImageInput,
  type ShapeToTry,
  shapesToTry,
  statedSidesOf,
  understood,
} from './image-input.ts';
import type { Sides, SizeSource } from './input-sizes.ts';
import { type FixedInputs, fixedValue, imageInput } from './inputs.ts';
import { taskOfMetadata } from './output-names.ts';
import { headNotes, likeliestOutput, rankedScores } from './outputs.ts';
import { parseValueScore, type ScoreSpec } from './score-spec.ts';
import { flatScores, Scores } from './scores.ts';
import type { Task } from './task.ts';
import { checkNamed, reducedValue } from './value-score.ts';

export interface ClassifierOptions {
  /** What follows the batch where the model leaves it open; if not said, a size that the network takes, 224 first. */
  readonly inputShape?: readonly number[] | undefined;
  /** Height and width where the model leaves them open; `inputShape` without a word on channels and layout. */
  readonly size?: Sides | undefined;
  /** Which axis has the channels, in place of what the file says. */
  readonly layout?: 'NCHW' | 'NHWC' | undefined;
  /** Whether `inputShape` or `size` also takes the place of a size that the file states, as far as the network can follow. */
  readonly anySize?: boolean | undefined;
  /** What the inputs beside the image are fixed to, by name; a model that has some needs a value for each. */
  readonly inputs?: FixedInputs | undefined;
  /** The output to explain; if not said, the likeliest to score classes (`likeliestOutput`). */
  readonly output?: string | undefined;
  /** What the model is for, where its file does not tell: logits of sigmoids look like those of a softmax. */
  readonly task?: Task | undefined;
  /** What is explained in place of a class: any number that the network computes for each image, as text or taken apart. */
  readonly score?: ScoreSpec | string | undefined;
  /** How many class names the model has: an output with as many columns scores them. */
  readonly labels?: number | undefined;
  readonly limits?: Partial<ReadLimits> | undefined;
}

/** A model that takes a batch of images and scores classes, or whose one class is the number that is explained. */
export interface Classifier {
  readonly file: ModelFile;
  readonly input: ValueInfo;
  /** Without the batch: [C, H, W], or [H, W, C] if the layout says so. */
  readonly inputShape: readonly number[];
  /** By the axis that the network convolves over. */
  readonly layout: 'NCHW' | 'NHWC';
  /** Height and width where the file states both. */
  readonly statedSides: Sides | null;
  /** Why the input has this size: the file states it, it was asked for, the graph takes no likelier one, or none of these. */
  readonly sizeSource: SizeSource;
  /** What the graph does to the image first, so that preprocessing does not. */
  readonly first: FirstOperations;
  readonly classes: number;
  /** What the scores are. */
  readonly head: Head;
  /** What is explained in place of a class, if anything is. */
  readonly score: ScoreSpec | undefined;
  /** Height and width of the maps of a segmenter, of which a region is explained. */
  readonly pixels: Sides | undefined;
  /** The batch size that the model has baked in, if any. */
  readonly batch: number | undefined;
  /** What a user should know: which score is explained, what was converted. */
  readonly notes: readonly Warning[];
  /** The same model, with another number in place of the classes. @throws InputError invalid_parameter */
  explaining(score: ScoreSpec | string): Classifier;
  /** An empty graph that the network can be put into; inside another one, for the body of a loop. */
  newGraph(enclosing?: GraphBuilder): GraphBuilder;
  /**
   * The network over the images that `feed` makes, in a fresh graph or the one given; with values inside replaced, if asked.
   * Of a score over a region, all pixels count alike unless `region` says how much each does.
   */
  inline(
    feed: (g: GraphBuilder) => Value,
    interventions?: Interventions,
    g?: GraphBuilder,
    region?: RegionOf,
  ): Network;
}

/** A classifier inside a graph under construction. */
export interface Network {
  readonly g: GraphBuilder;
  readonly image: Value;
  /** What is explained unless another score is asked for, [rows, classes]: before the last squashing function. */
  readonly logits: Value;
  /** Whether what is explained is made of a map [N, C, h, w] or [N, h, w, C], as a segmenter gives it. */
  readonly ofMap: boolean;
  /** Of scores over a region, what they are the sums of. */
  readonly weighed: RegionScores['weighed'];
  /** Scores of every kind, and the model's own probabilities. */
  readonly scores: Pick<Scores, 'logits' | 'of' | 'probabilities'>;
  /** Where a tensor name of the file went. */
  resolve(name: Value): Value;
}

/**
 * Reads an ONNX classifier, in one file or with its large weights beside it.
 *
 * @throws InputError when the file is refused (see `readModel`) or does not look like an image classifier
 */
export const readClassifier = (model: Uint8Array | GraphFile, options: ClassifierOptions = {}): Classifier =>
  classifierOf(readModel(model, { ...defaultLimits, ...options.limits }), options);

function classifierOf(file: ModelFile, options: ClassifierOptions): Classifier {
  const limits = { ...defaultLimits, ...options.limits };
  const score = typeof options.score === 'string' ? parseValueScore(options.score) : options.score;
  const fixed = options.inputs ?? {};
  const input = imageInput(file.graph.inputs, fixed);
  const image = understood(file.graph, input, options.layout);
  const { outputs } = file.graph;
  const refused = options.output === undefined ? undefined : file.refused.get(options.output);
  if (refused) throw refused;
  if (options.output !== undefined && !outputs.includes(options.output))
    throw new InputError(
      'invalid_model',
      `the model has no output ${quoted(options.output)}; it has ${outputs.map(quoted).join(', ')}`,
    );
  const named = score && score.type !== 'region' ? score : undefined;
  if (named) checkNamed(file.graph, named);
  const { labels, task = taskOfMetadata(file.metadata) } = options;
  const openOf = (output: string) => (batch: number | undefined) =>
    inlining(file, { input: image, fixed, output, batch, labels, task, score });
  const size = image.axes.batch === null ? 1 : input.shape[image.axes.batch];
  const baked = typeof size === 'number' ? size : 1;
  const likely = options.output === undefined ? outputs : [options.output];
  const readAt = (inputShape: readonly number[]) =>
    likeliestOutput(named ? [named.name] : likely, labels, (name) => {
      const probe = (g: GraphBuilder) => g.input(input.name, 'float32', [-1, ...inputShape]);
      const { network, batch } = probed(openOf(name), probe, baked, image.axes.batch === null);
      const { head, ranks } = network;
      return { output: name, network, batch, head, ranks, classes: network.g.shape(network.logits)[1]! };
    });
  const { found, shape: inputShape, source } = firstThatFits(shapesToTry(file.graph, image, options), readAt);
  const { output, network, batch, head, classes } = found;
  checkSizes(network.g, limits);
  const others = [...outputs, ...file.refused.keys()].filter((name) => name !== output);
  const notes: Warning[] = named ? [] : [...headNotes(found, others, score !== undefined)];
  const tell = (code: string, message: string) => notes.push({ code, message });
  const set = Object.keys(fixed);
  if (set.length > 0)
    tell('inputs_fixed', `${listed(set)} ${set.length > 1 ? 'are' : 'is'} fixed to the values given`);
  if (input.dtype === 'float16')
    tell('computed_in_float32', 'the model is float16; the explanation is computed in float32');
  if (batch !== undefined) tell('batch_fixed', `the model takes batches of ${batch} only`);
  return {
    file,
    input,
    inputShape,
    layout: image.layout,
    statedSides: statedSidesOf(image),
    sizeSource: source,
    first: firstOperations(file.graph, input, image.axes),
    classes,
    head: { kind: head.kind, task: head.task, output, others },
    score,
    pixels: network.pixels,
    batch,
    notes,
    explaining: (asked) => classifierOf(file, { ...options, score: asked }),
    newGraph: (enclosing) => graphFor(file.graph, batch, enclosing),
    inline: told(openOf(output)(batch)),
  };
}

/** Contradictions that only show at another number of images, or where something inside is replaced, as refusals. */
const told =
  (inline: Classifier['inline']): Classifier['inline'] =>
  (feed, interventions, g, region) => {
    try {
      return inline(feed, interventions, g, region);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw interventions ? notFromInside([...interventions.keys()], error) : contradiction(error);
    }
  };

const contradicting = "the model's shapes contradict each other: ";
/** What is no fault of the model: it holds only with the values that the model itself makes. */
const notFromInside = (replaced: readonly Value[], { message }: ShapeError): InputError =>
  new InputError(
    'method_not_supported',
    `the method changes ${listed(replaced)}, and the rest of the network cannot run on the changed values (${message}); choose another layer, or a method that needs no layer`,
  );

const contradiction = ({ message }: ShapeError): InputError =>
  new InputError('invalid_model', `${contradicting}${message}`);

/**
 * What `read` makes of the first shape that the network takes.
 *
 * @throws InputError `invalid_model` that says which sizes were tried, where it was our guess or a wish and not the file's
 */
function firstThatFits<T>(shapes: readonly ShapeToTry[], read: (shape: readonly number[]) => T) {
  let first: InputError | undefined;
  for (const { shape, source } of shapes)
    try {
      return { found: read(shape), shape, source };
    } catch (error) {
      const guessed =
        source !== 'file' && error instanceof InputError && error.message.startsWith(contradicting);
      if (!guessed) throw error;
      first ??= error;
    }
  const { message } = first!;
  const [{ shape, source }] = shapes as [ShapeToTry];
  const why = message.replace(contradicting, '');
  throw new InputError(
    'invalid_model',
    source === 'asked'
      ? `the model cannot run on the requested input [N, ${shape.join(', ')}]: ${why}`
      : `the model file does not state the input size, and the model cannot run on any of the ${shapes.length} sizes that were tried; give the size with --size. The first, [N, ${shape.join(', ')}], failed: ${why}`,
  );
}

type Probed = Network & {
  readonly head: Decision;
  readonly ranks: boolean;
  readonly pixels: Sides | undefined;
};

/** Opens the batch if the model lets it; some have a size baked into a Reshape. */
function probed(
  open: (batch: number | undefined) => (feed: (g: GraphBuilder) => Value) => Probed,
  feed: (g: GraphBuilder) => Value,
  baked: number,
  alone: boolean,
) {
  let first: unknown;
  if (!alone)
    try {
      const network = open(undefined)(feed);
      if (network.g.shape(network.logits)[0] === -1) return { network, batch: undefined };
    } catch (error) {
      const refused = error instanceof InputError && /^invalid_(model|parameter)$/.test(error.code);
      if (!(error instanceof ShapeError) && !refused) throw error;
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
  readonly input: ImageInput;
  readonly fixed: FixedInputs;
  readonly output: string;
  readonly batch: number | undefined;
  readonly labels: number | undefined;
  readonly task: Task | undefined;
  readonly score: ScoreSpec | undefined;
}

/** The network in a fresh graph, over what `feed` makes there. */
const inlining =
  ({ graph }: ModelFile, { input, fixed, output, batch, labels, task, score }: Inlining) =>
  (
    feed: (g: GraphBuilder) => Value,
    interventions?: Interventions,
    into?: GraphBuilder,
    region?: RegionOf,
  ): Probed => {
    let image = input.info.name;
    const { builder: g, resolve } = canonicalize(
      { ...graph, nodes: reachable(graph.nodes, [output]), outputs: [output] },
      (g) => {
        image = feed(g);
        const values = graph.inputs
          .filter(({ name }) => name !== input.info.name)
          .map(
            (info) =>
              [
                info.name,
                fixedValue(g, info, getOwn(fixed, info.name)!, { info: input.info, value: image }),
              ] as const,
          );
        return new Map([[input.info.name, asInFile(g, image, input, graph)], ...values]);
      },
      batch,
      interventions,
      into,
    );
    const end = resolve(output);
    const isValue = score !== undefined && score.type !== 'region';
    const { value: scored, ranks } = isValue ? { value: end, ranks: false } : rankedScores(g, end, output);
    // Without a batch the scores of the one image are a list.
    const isList = input.axes.batch === null && g.knows(scored) && g.shape(scored)[0] !== 1;
    const value = isList ? unsqueeze(g, scored, [0]) : scored;
    const shared = { g, image, resolve, ranks, pixels: undefined, weighed: noMaps };
    if (score?.type === 'region') {
      const { layout } = input;
      const maps = classMaps(g, value, output, sidesOf(g.shape(image), layout), layout === 'NHWC');
      const scores = new RegionScores(maps, score, region);
      const [, classes, height, width] = g.shape(maps.maps) as [number, number, number, number];
      const head: Decision = { ...plainNumber(classes), task: classes === 1 ? 'binary' : 'multiclass' };
      const { logits, weighed } = scores;
      return { ...shared, logits, ofMap: true, weighed, scores, head, pixels: [height, width] };
    }
    const given = isValue
      ? reducedValue(g, value, score, interventions ? undefined : g.shape(image)[0])
      : flatScores(g, value, output, interventions ? undefined : image);
    const head = isValue
      ? plainNumber(1)
      : decideHead(g, given, g.shape(given)[1]!, { name: output, labels, task });
    const scores = new Scores(g, given, head);
    return { ...shared, logits: scores.logits, ofMap: isValue && isMap(g, value), scores, head };
  };

const noMaps: RegionScores['weighed'] = new Map();

/** Height and width of images [N, C, H, W] or [N, H, W, C]. */
const sidesOf = ([, a, b, c]: readonly number[], layout: 'NCHW' | 'NHWC'): Sides =>
  layout === 'NCHW' ? [b!, c!] : [a!, b!];

/** Whether a value has two axes of places beside those of images and channels. */
function isMap(g: GraphBuilder, value: Value): boolean {
  const shape = g.shape(value);
  return shape.length === 4 && shape.slice(1).filter((d) => d > 1).length >= 2;
}

function checkSizes(g: GraphBuilder, { elements }: ReadLimits): void {
  const largest = g.largest();
  if (largest && largest.elements > elements)
    throw new InputError(
      'model_too_large',
      `value ${quoted(largest.value)} has ${largest.elements} elements per image, at most ${elements} are allowed`,
    );
}
