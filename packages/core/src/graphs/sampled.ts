import { InputError } from '../errors.ts';
import type { Sampled, Samples, Setting, Values } from '../methods/method.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { mul, onesLike, reshape, slice, sum, unsqueeze } from '../onnx/emit.ts';
import { newGraph } from '../operators/new-graph.ts';
import { getOwn } from '../own.ts';
import type { Tensor } from '../tensor.ts';
import { type Built, built, mapped, type Shapes } from './built.ts';
import { filled, type LookedAt, lookedAt, needsOneImage, oneImage, startingAt } from './network.ts';
import type { Request } from './request.ts';
import { oneHot, resolved, subjectOf } from './subject.ts';

type Described = Readonly<Record<string, Pick<Tensor, 'dtype' | 'shape'>>>;

/** The baseline that a sampled method prepares besides one image: image → baseline. */
export function baselineModel({ classifier, method, setting }: Request<Sampled<never>>): Built {
  const g = newGraph(17);
  const image = oneImage(g, classifier);
  const baseline = method.baseline!(g, image, setting)!;
  return built(g, { baseline: g.emit('Expand', [baseline, g.ints(g.shape(image))]) });
}

/** What a sampled method asks of one image before its samples: image, class_weights → values. */
export function prepareModel(request: Request<Sampled<never>>): Built {
  const { classifier, method, setting } = request;
  const network = lookedAt(request, (g) => filled(g, oneImage(g, classifier), classifier.batch));
  const { g } = network;
  const chosen = filled(g, g.input('class_weights', 'float32', [1, classifier.classes]), classifier.batch);
  const subject = subjectOf(network, chosen);
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
  const score = sum(g, mul(g, slice(g, network.scored, 0, 0, 1), class_weights), [1]);
  const subject = subjectOf(network, filled(g, class_weights, classifier.batch));
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
  /** The image in as many rows as the layer has. */
  const together = (g: GraphBuilder) => {
    const image = inputs(g);
    const [sample] = Object.keys(samples).map((name) => getOwn(given, name)!);
    const turns = g.emit('Shape', [sample!], { start: 0, end: 1 });
    const size = g.emit('Mul', [turns, g.ints([method.perSample?.(setting) ?? 1])]);
    return g.emit('Expand', [image, g.emit('Concat', [size, g.ints(classifier.inputShape)], { axis: 0 })]);
  };
  const [start] = layers;
  const begun = (beside: (g: GraphBuilder) => Value) =>
    startingAt(start!, classifier, beside, rows, request.score);
  const fromLayer = () => {
    const one = () => begun((g) => filled(g, inputs(g), classifier.batch));
    return classifier.batch !== undefined || needsOneImage(classifier, start!.name, one)
      ? one()
      : begun(together);
  };
  const network = method.startsAtLayer ? fromLayer() : lookedAt(request, (g) => rows(g, inputs(g)));
  const { g } = network;
  const score = g.input('score', 'float32', [1, 1]);
  const chosen = g.input('class_weights', 'float32', [1, classifier.classes]);
  const sums = eachOf(network, request, given, chosen, score);
  return built(g, sums);
}

/**
 * What is left to do once the sums are there: image, sums, fixed, prepared → attribution; with `measured` besides what
 * tells how far it is from adding up, shares, and the baseline or its score; and the scale of a map that is min-maxed.
 */
export function finishModel(
  { classifier, method, setting }: Request<Sampled<never>>,
  sums: Shapes,
  fixed: Samples,
  prepared: Shapes,
  measured: boolean,
): Built {
  const g = newGraph(17);
  const image = oneImage(g, classifier);
  const given = {
    ...mapped(fixed, (s, name) => g.input(name, s.dtype, s.shape)),
    ...mapped({ ...prepared, ...sums }, (shape, name) => g.input(name, 'float32', shape)),
  };
  let scale: Value | undefined;
  const asked = { ...setting, tellScale: (told: Value) => (scale = told) } as Setting<never>;
  const attribution = method.finish(g, image, given, asked);
  if (!measured) return built(g, { attribution });
  const reference = method.reference?.(given);
  const baseline = method.baseline?.(g, image, setting);
  const shares = method.shares?.(g, image, given, setting);
  return built(g, {
    attribution,
    ...(reference !== undefined && { reference }),
    ...(baseline && { baseline: g.emit('Expand', [baseline, g.ints(g.shape(image))]) }),
    ...(shares !== undefined && { shares }),
    ...(scale !== undefined && { scale }),
  });
}

/** [images, samples, …] → [rows, …] */
function flat(g: GraphBuilder, grid: Value): Value {
  const [images, count, ...rest] = g.shape(grid) as [number, number, ...number[]];
  return reshape(g, grid, [images === 1 ? count : images * count, ...rest]);
}

/** Sums over the samples; `chosen` [images, classes] and `score` [images, 1] are those of the images. */
function eachOf(
  network: LookedAt,
  { method, setting }: Request<Sampled<never>>,
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
    const subject = subjectOf(network, perRow);
    const scores = split(sum(g, mul(g, subject.scored, perRow), [1], false));
    return method.each({ ...subject, image: 'image', score, scores, split }, given, setting);
  });
}

/** Values that are prepared of the baseline as well, by the names that a method is given them under. */
export const ofBaseline = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`baseline_${name}`, value]));
