import { transformerOf } from './attention.ts';
import { differentiate } from './autodiff/differentiate.ts';
import { between } from './autodiff/path.ts';
import { gradientRules } from './autodiff/rules/index.ts';
import type { Classifier, Network } from './classifier.ts';
import { InputError } from './errors.ts';
import { holding, mapOf } from './layer-form.ts';
import type { Layer } from './layers.ts';
import type { Direct, Sampled, Samples, Setting, Subject, Values } from './methods/method.ts';
import { GraphBuilder, type Shape, type Value } from './onnx/builder.ts';
import { add, mul, onesLike, reshape, slice, sum, unsqueeze, where, zerosLike } from './onnx/emit.ts';
import type { Graph, ValueInfo } from './onnx/graph.ts';
import { peakBytesPerRow, weightBytes } from './onnx/peak.ts';
import { renamed } from './onnx/rename.ts';
import { writeModel } from './onnx/write.ts';
import { type ScoreKind, scoresOf } from './targets.ts';
import type { Tensor } from './tensor.ts';

// The graphs that an explanation runs.

/** A method as it was asked for, of one classifier. */
export interface Request<M> {
  readonly classifier: Classifier;
  readonly method: M;
  readonly setting: Setting<never>;
  readonly layers: readonly Layer[];
  readonly score: ScoreKind;
}

type Described = Readonly<Record<string, Pick<Tensor, 'dtype' | 'shape'>>>;
export type Shapes = Readonly<Record<string, Shape>>;

/** A graph with names for its inputs and outputs. */
export interface Built {
  readonly graph: Graph;
  readonly outputs: Shapes;
  /** The outputs' types as ONNX states them. */
  readonly types: readonly ValueInfo[];
  /** The graph as a file. */
  readonly bytes: Uint8Array;
  /** What its constants take. */
  readonly weightBytes: number;
  /** What a run holds at once for each unit of its batch, an image or a sample: bytes. */
  readonly bytesPerRow: number;
}

/** The model itself: image → logits, and scores of another kind if asked. */
export const forwardModel = (classifier: Classifier, score: ScoreKind = 'logit'): Uint8Array =>
  scoresModel(classifier, score).bytes;

export function scoresModel(classifier: Classifier, score: ScoreKind = 'logit'): Built {
  const { g, logits } = imagesOf(classifier);
  return built(g, { logits, ...(score !== 'logit' && { scores: scoresOf(g, logits, score) }) });
}

/**
 * A direct method: image, class_index → attribution, logits, target. Class index -1 is the predicted class.
 *
 * @param sums also of sums of classes: takes class_weight and class_weights besides (`targetInputs`)
 */
export function directModel(request: Request<Direct<never>>, sums = false): Built {
  const { classifier, method, setting } = request;
  const network = lookedAt(request, (g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const { g, logits } = network;
  const target = resolved(g, g.input('class_index', 'int64', [-1]), logits);
  const { classes } = classifier;
  const single = oneHot(g, target, classes);
  const weighed = () =>
    add(
      g,
      mul(g, single, g.input('class_weight', 'float32', [-1, 1])),
      g.input('class_weights', 'float32', [-1, classes]),
    );
  const subject = subjectOf(network, sums ? weighed() : single, request.score);
  const attribution = g.within('explain', () => method.build(subject, setting));
  return built(g, { attribution, logits, target });
}

/** The baseline that a sampled method compares one image with: image → baseline. */
export function baselineModel({ classifier, method, setting }: Request<Sampled<never>>): Built {
  const g = new GraphBuilder(17);
  const image = oneImage(g, classifier);
  const baseline = method.baseline!(g, image, setting);
  return built(g, { baseline: g.emit('Expand', [baseline, g.ints(g.shape(image))]) });
}

/** What a sampled method asks of one image before its samples: image, class_weights → values. */
export function prepareModel(request: Request<Sampled<never>>): Built {
  const { classifier, method, setting } = request;
  const network = lookedAt(request, (g) => filled(g, oneImage(g, classifier), classifier.batch));
  const { g } = network;
  const chosen = filled(g, g.input('class_weights', 'float32', [1, classifier.classes]), classifier.batch);
  const subject = subjectOf(network, chosen, request.score);
  const values = g.within('explain', () => method.prepare!(subject, setting));
  return built(
    g,
    mapped(values, (value) => slice(g, value, 0, 0, 1)),
  );
}

/**
 * All that is asked of one image before its samples: image, class_index → logits, target, class_weights, score, and what
 * the method prepares. Class index -1 is the predicted class.
 */
export function firstModel(request: Request<Sampled<never>>): Built {
  const { classifier, method, setting } = request;
  const network = lookedAt(request, (g) => filled(g, oneImage(g, classifier), classifier.batch));
  const { g } = network;
  const logits = slice(g, network.logits, 0, 0, 1);
  const target = resolved(g, g.input('class_index', 'int64', [1]), logits);
  const class_weights = oneHot(g, target, classifier.classes);
  const score = sum(g, mul(g, scoresOf(g, logits, request.score), class_weights), [1]);
  const subject = subjectOf(network, filled(g, class_weights, classifier.batch), request.score);
  const values = g.within('explain', () => method.prepare?.(subject, setting) ?? {});
  return built(g, {
    logits,
    target,
    class_weights,
    score,
    ...mapped(values, (value) => slice(g, value, 0, 0, 1)),
  });
}

/**
 * Rows that a sample evaluates together.
 *
 * @throws InputError method_not_supported when they do not fit into the batches that the model takes
 */
export function rowsTogether({ classifier: { batch }, method, setting }: Request<Sampled<never>>): number {
  const rows = method.perSample?.(setting) ?? 1;
  if (batch !== undefined && batch % rows !== 0)
    throw new InputError(
      'method_not_supported',
      `${method.id} evaluates ${rows} rows per sample together, and the model takes batches of ${batch} only`,
    );
  return rows;
}

/** One chunk of a sampled method on one image: image, class_weights, score, samples, fixed, prepared → sums. */
export function chunkModel(
  request: Request<Sampled<never>>,
  samples: Described,
  fixed: Samples,
  prepared: Shapes,
): Built {
  const { classifier, method, setting, layers } = request;
  const count = classifier.batch === undefined ? -1 : classifier.batch / (method.perSample?.(setting) ?? 1);
  let given: Values = {};
  const inputs = (g: GraphBuilder): Value => {
    const image = oneImage(g, classifier);
    given = {
      ...mapped(samples, (s, name) => g.input(name, s.dtype, [count, ...s.shape.slice(1)])),
      ...mapped(fixed, (s, name) => g.input(name, s.dtype, s.shape)),
      ...mapped(prepared, (shape, name) => g.input(name, 'float32', shape)),
    };
    return image;
  };
  const rows = (g: GraphBuilder, image: Value) =>
    flat(
      g,
      g.within('explain', () => method.rows(g, unsqueeze(g, image, [1]), given, setting)),
    );
  /** The image in one row, or in as many as the layer will have where they meet. */
  const beside = (g: GraphBuilder) => {
    const image = inputs(g);
    if (classifier.batch !== undefined || !meetsOthers(classifier, layers[0]!.name))
      return filled(g, image, classifier.batch);
    const [sample] = Object.keys(samples).map((name) => given[name]!);
    const turns = g.emit('Shape', [sample!], { start: 0, end: 1 });
    const together = g.emit('Mul', [turns, g.ints([method.perSample?.(setting) ?? 1])]);
    return g.emit('Expand', [
      image,
      g.emit('Concat', [together, g.ints(classifier.inputShape)], { axis: 0 }),
    ]);
  };
  const network = method.startsAtLayer
    ? startingAt(layers[0]!, classifier, beside, rows)
    : lookedAt(request, (g) => rows(g, inputs(g)));
  const { g } = network;
  const score = g.input('score', 'float32', [1, 1]);
  const chosen = g.input('class_weights', 'float32', [1, classifier.classes]);
  const sums = eachOf(network, request, given, chosen, score);
  return built(g, sums);
}

/** What is left to do once the sums are there: image, sums, fixed, prepared → attribution, baseline. */
export function finishModel(
  { classifier, method, setting }: Request<Sampled<never>>,
  sums: Shapes,
  fixed: Samples,
  prepared: Shapes,
): Built {
  const g = new GraphBuilder(17);
  const image = oneImage(g, classifier);
  const given = {
    ...mapped(fixed, (s, name) => g.input(name, s.dtype, s.shape)),
    ...mapped({ ...prepared, ...sums }, (shape, name) => g.input(name, 'float32', shape)),
  };
  const attribution = method.finish(g, image, given, setting);
  const baseline = method.baseline?.(g, image, setting);
  const spread = baseline && g.emit('Expand', [baseline, g.ints(g.shape(image))]);
  return built(g, { attribution, ...(spread && { baseline: spread }) });
}

const imagesOf = (classifier: Classifier): Network =>
  classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
const oneImage = (g: GraphBuilder, { inputShape }: Classifier): Value =>
  g.input('image', 'float32', [1, ...inputShape]);

/** A network and the layers that are looked at, each as a map [rows, C, h, w]. */
interface LookedAt extends Network {
  readonly layers: readonly Value[];
}

/** The network over what `feed` makes. Layers of another layout pass through a map, which is what is looked at. */
function lookedAt(
  { classifier, layers }: Pick<Request<unknown>, 'classifier' | 'layers'>,
  feed: (g: GraphBuilder) => Value,
): LookedAt {
  const maps = new Map<Value, Value>();
  const through = layers
    .filter(({ form }) => form.axes !== 'CHW')
    .map(({ name, shape, form }) => {
      const replace = (g: GraphBuilder, value: Value) => {
        const map = mapOf(g, value, form, shape);
        maps.set(name, map);
        return holding(g, map, value, form);
      };
      return [name, replace] as const;
    });
  const network = classifier.inline(feed, through.length > 0 ? new Map(through) : undefined);
  return { ...network, layers: layers.map(({ name }) => maps.get(name) ?? network.resolve(name)) };
}

/** The network from a layer on: `rows` makes the layer's map of each row, from the image that `feed` makes. */
function startingAt(
  { name, form }: Layer,
  classifier: Classifier,
  feed: (g: GraphBuilder) => Value,
  rows: (g: GraphBuilder, image: Value) => Value,
): LookedAt {
  let start: Value = '';
  const replace = (g: GraphBuilder, value: Value) => {
    start = rows(g, 'image');
    return holding(g, start, value, form);
  };
  const network = classifier.inline(feed, new Map([[name, replace]]));
  return { ...network, image: start, layers: [start] };
}

/** Operators that spread one row over many by themselves. */
const spreading = /^(Add|Sub|Mul|Div|Sum|Mean|Max|Min|Pow|PRelu|Where)$/;

/** Whether what is made of a layer meets values that are made without it, in an operator that takes equal rows only. */
function meetsOthers(classifier: Classifier, layer: Value): boolean {
  const { g, image, logits } = imagesOf(classifier);
  const { nodes, moving } = between(g, [image], [logits]);
  const after = new Set([layer]);
  return nodes.some((node) => {
    const made = node.inputs.filter((input) => after.has(input));
    if (made.length === 0) return false;
    for (const output of node.outputs) after.add(output);
    return !spreading.test(node.op) && node.inputs.some((input) => moving.has(input) && !after.has(input));
  });
}

/** One row repeated to the size of batch that the model has baked in. */
const filled = (g: GraphBuilder, row: Value, batch = 1): Value =>
  batch === 1 ? row : g.emit('Expand', [row, g.ints([batch, ...g.shape(row).slice(1)])]);

/** [images, samples, …] → [rows, …] */
function flat(g: GraphBuilder, grid: Value): Value {
  const [images, count, ...rest] = g.shape(grid) as [number, number, ...number[]];
  return reshape(g, grid, [images === 1 ? count : images * count, ...rest]);
}

/** Sums over the samples; `chosen` [images, classes] and `score` [images, 1] are those of the images. */
function eachOf(
  network: LookedAt,
  { method, setting, score: kind }: Request<Sampled<never>>,
  given: Values,
  chosen: Value,
  score: Value,
): Values {
  const { g, logits } = network;
  const [images, classes] = g.shape(chosen) as [number, number];
  const rows = g.shape(logits)[0]!;
  const count = images === 1 ? rows : rows / images;
  const split = (value: Value) => reshape(g, value, [images, count, ...g.shape(value).slice(1)]);
  const perRow = flat(
    g,
    mul(g, unsqueeze(g, chosen, [1]), reshape(g, onesLike(g, logits), [images, count, classes])),
  );
  return g.within('explain', () => {
    const subject = subjectOf(network, perRow, kind);
    const scores = split(sum(g, mul(g, subject.scored, perRow), [1], false));
    return method.each({ ...subject, image: 'image', score, scores, split }, given, setting);
  });
}

function subjectOf(network: LookedAt, chosen: Value, kind: ScoreKind): Subject {
  const { g, image, logits, layers } = network;
  const nodes = [...g.nodes];
  const scored = scoresOf(g, logits, kind);
  return {
    g,
    rows: image,
    logits,
    scored,
    chosen,
    layers,
    nodes,
    transformer: () => transformerOf(network),
    gradients(wanted, { seeds = new Map([[scored, chosen]]), rules = gradientRules } = {}) {
      return differentiate(g, seeds, wanted, rules).map(
        (gradient, i) => gradient ?? zerosLike(g, wanted[i]!),
      );
    },
  };
}

/** The class asked for, or the predicted one where -1 was. */
const resolved = (g: GraphBuilder, asked: Value, logits: Value): Value =>
  where(
    g,
    g.emit('Less', [asked, g.constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(0n) })]),
    g.emit('ArgMax', [logits], { axis: 1, keepdims: 0 }),
    asked,
  );

const oneHot = (g: GraphBuilder, target: Value, classes: number): Value =>
  g.emit('OneHot', [target, g.ints([classes]), g.floats([2], [0, 1])]);

function built(g: GraphBuilder, outputs: Values): Built {
  const shapes = mapped(outputs, (value) => g.shape(value));
  const types = Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype: g.dtype(outputs[name]!),
    shape: shape.map((d) => (d > 0 ? d : d === -1 ? 'batch' : `${-d}*batch`)),
  }));
  const graph = renamed(g.graph('whylight', Object.values(outputs)), outputs);
  return {
    graph,
    outputs: shapes,
    types,
    get bytes() {
      return writeModel(graph, types);
    },
    weightBytes: weightBytes(graph),
    bytesPerRow: peakBytesPerRow(g, Object.values(outputs)),
  };
}

const mapped = <A, B>(
  record: Readonly<Record<string, A>>,
  f: (value: A, name: string) => B,
): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

/** Values that are prepared of the baseline as well, by the names that a method is given them under. */
export const ofBaseline = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`baseline_${name}`, value]));
