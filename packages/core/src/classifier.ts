import { InputError } from './errors.ts';
import type { GraphBuilder, Shape, Value } from './onnx/builder.ts';
import { type Canonical, canonicalize, type Interventions } from './onnx/canonicalize.ts';
import { reshape } from './onnx/emit.ts';
import type { Node, ValueInfo } from './onnx/graph.ts';
import { quoted } from './onnx/names.ts';
import { defaultLimits, type ModelFile, type ReadLimits, readModel } from './onnx/read.ts';
import { ShapeError } from './onnx/shapes/fact.ts';

export interface ClassifierOptions {
  /** What follows the batch where the model leaves it open; [3, 224, 224] if not said. */
  readonly inputShape?: readonly number[] | undefined;
  /** The output to explain; the first if not said. */
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
  const input = imageInput(file);
  const inputShape = shapeOf(input, options.inputShape);
  const output = options.output ?? file.graph.outputs[0]!;
  if (!file.graph.outputs.includes(output))
    throw new InputError(
      'invalid_model',
      `the model has no output ${quoted(output)}; it has ${file.graph.outputs.map(quoted).join(', ')}`,
    );
  const open =
    (batch: number | undefined) => (feed: (g: GraphBuilder) => Value, interventions?: Interventions) =>
      inlined(file, input.name, output, feed, batch, interventions);
  const probe = (g: GraphBuilder) => g.input(input.name, 'float32', [-1, ...inputShape]);

  const baked = typeof input.shape[0] === 'number' ? input.shape[0] : 1;
  const { network, batch } = probed(open, probe, baked);
  checkSizes(network.g, limits);
  const scores = network.g.shape(network.logits);
  const notes: string[] = [];
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
    inline: open(batch),
  };
}

function imageInput(file: ModelFile): ValueInfo {
  const { inputs } = file.graph;
  const images = inputs.filter((i) => i.shape.length === 4);
  if (images.length !== 1 || inputs.length !== 1)
    throw new InputError(
      'invalid_model',
      `an image classifier has one input of rank 4; this model has ${inputs.map((i) => `${quoted(i.name)} [${i.shape}]`).join(', ') || 'none'}`,
    );
  const input = images[0]!;
  if (input.dtype !== 'float32' && input.dtype !== 'float16')
    throw new InputError(
      'invalid_model',
      `input ${quoted(input.name)} is ${input.dtype}; float32 or float16 is expected`,
    );
  return input;
}

function shapeOf(input: ValueInfo, wanted: readonly number[] | undefined): readonly number[] {
  const fallback = wanted ?? (input.shape[3] === 3 ? [224, 224, 3] : [3, 224, 224]);
  return input.shape.slice(1).map((d, i) => {
    if (typeof d === 'string') return fallback[i]!;
    if (wanted && wanted[i] !== d)
      throw new InputError(
        'invalid_model',
        `the model takes [${input.shape.slice(1)}], asked for [${wanted}]`,
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
    if (error instanceof ShapeError)
      throw new InputError('invalid_model', `the model's shapes contradict each other: ${error.message}`);
    throw error;
  }
}

function inlined(
  file: ModelFile,
  input: string,
  output: string,
  feed: (g: GraphBuilder) => Value,
  batch: number | undefined,
  interventions?: Interventions,
): Probed {
  let image = input;
  const canonical = canonicalize(
    file.graph,
    (g) => {
      image = feed(g);
      return new Map([[input, image]]);
    },
    batch,
    interventions,
  );
  const { builder: g, resolve } = canonical;
  const { score, softmax } = scoreBefore(canonical, resolve(output));
  return {
    g,
    image,
    logits: flatScores(g, score, output, interventions ? undefined : image),
    resolve,
    softmax,
  };
}

const passing = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Cast']);

/** The score that a final Softmax was given, or the output itself. */
function scoreBefore({ builder: g }: Canonical, output: Value): { score: Value; softmax: Node | undefined } {
  const makers = new Map(g.nodes.flatMap((node) => node.outputs.map((o) => [o, node] as const)));
  let maker = makers.get(output);
  while (maker && passing.has(maker.op)) maker = makers.get(maker.inputs[0]!);
  return maker?.op === 'Softmax' || maker?.op === 'LogSoftmax'
    ? { score: maker.inputs[0]!, softmax: maker }
    : { score: output, softmax: undefined };
}

function checkSizes(g: GraphBuilder, { elements }: ReadLimits): void {
  const largest = g.largest();
  if (largest && largest.elements > elements)
    throw new InputError(
      'model_too_large',
      `value ${quoted(largest.value)} has ${largest.elements} elements per image, at most ${elements} are allowed`,
    );
}

/** [N, C], from [N, C] or [N, C, 1, 1], a row for each image if these are given. */
function flatScores(g: GraphBuilder, score: Value, output: string, image: Value | undefined): Value {
  const shape: Shape = g.shape(score);
  const rest = shape.slice(1).filter((d) => d !== 1);
  const aligned = image === undefined || shape[0] === g.shape(image)[0];
  if (shape.length < 2 || rest.length > 1 || rest.some((d) => d <= 0) || !aligned)
    throw new InputError(
      'invalid_model',
      `a classifier scores [batch, classes], a row for each image; output ${quoted(output)} is [${shape.map((d) => (d < 0 ? 'batch' : d))}]`,
    );
  return shape.length === 2 ? score : reshape(g, score, [shape[0]!, rest[0] ?? 1]);
}
