import { differentiate } from './autodiff/differentiate.ts';
import { gradientRules } from './autodiff/rules/index.ts';
import type { Classifier, Network } from './classifier.ts';
import { chooseLayers } from './layers.ts';
import type { Direct, Sampled, Samples, Setting, Subject, Values } from './methods/method.ts';
import { GraphBuilder, type Shape, type Value } from './onnx/builder.ts';
import { mul, reshape, slice, sum, unsqueeze, where, zerosLike } from './onnx/emit.ts';
import { renamed } from './onnx/rename.ts';
import { writeModel } from './onnx/write.ts';
import { stacked, tensor } from './tensor.ts';

// The graphs that an explanation runs, each as the bytes of an ONNX file.

type AnySetting = Setting<never>;
type Metadata = Readonly<Record<string, string>>;

/** The model itself: image → logits. */
export function forwardModel(classifier: Classifier): Uint8Array {
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  return written(network.g, { logits: network.logits });
}

/** A direct method: image, class_index → attribution, logits, target. Class index -1 is the predicted class. */
export function directModel(
  classifier: Classifier,
  method: Direct<never>,
  setting: AnySetting,
  layers: readonly string[],
  metadata?: Metadata,
): Uint8Array {
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
  const { g, logits } = network;
  const target = resolved(g, g.input('class_index', 'int64', [-1]), logits);
  const found = method.needs.includes('layer') ? chooseLayers(network, layers) : [];
  const subject = subjectOf(network, oneHot(g, target, classifier.classes), found);
  const attribution = g.within('explain', () => method.build(subject, setting));
  return written(g, { attribution, logits, target }, metadata);
}

/** One chunk of a sampled method on one image: image, class_index, score, samples → sums over the samples. */
export function chunkModel(
  classifier: Classifier,
  method: Sampled<never>,
  setting: AnySetting,
  samples: Samples,
): { bytes: Uint8Array; sums: Readonly<Record<string, Shape>> } {
  let values: Values = {};
  const network = classifier.inline((g) => {
    const image = g.input('image', 'float32', [1, ...classifier.inputShape]);
    values = mapped(samples, (s, name) => g.input(name, s.dtype, [-1, ...s.shape.slice(1)]));
    return rowsOf(g, method, image, values, setting);
  });
  const { g, logits } = network;
  const target = g.input('class_index', 'int64', [1]);
  const score = g.input('score', 'float32', [1, 1]);
  const sums = eachOf(network, method, setting, values, oneHot(g, target, classifier.classes), score, [
    1,
    g.shape(logits)[0]!,
  ]);
  return { bytes: written(g, sums), sums: mapped(sums, (value) => g.shape(value)) };
}

/** What is left to do once the sums are there: image, sums → attribution, baseline. */
export function finishModel(
  classifier: Classifier,
  method: Sampled<never>,
  setting: AnySetting,
  sums: Readonly<Record<string, Shape>>,
): Uint8Array {
  const g = new GraphBuilder(17);
  const image = g.input('image', 'float32', [1, ...classifier.inputShape]);
  const values = mapped(sums, (shape, name) => g.input(name, 'float32', shape));
  const attribution = method.finish(g, image, values, setting);
  const baseline = method.baseline?.(g, image, setting);
  const spread = baseline && g.emit('Expand', [baseline, g.ints(g.shape(image))]);
  return written(g, { attribution, ...(spread && { baseline: spread }) });
}

/** A sampled method in one graph, its samples as constants: image, class_index → attribution, logits, target. */
export function wholeModel(
  classifier: Classifier,
  method: Sampled<never>,
  setting: AnySetting,
  metadata?: Metadata,
): Uint8Array {
  const still = method.still(setting);
  const samples = mapped(method.samples(setting), (s, name) => stacked([still[name]!, s]));
  const count = Object.values(samples)[0]!.shape[0]!;
  let image: Value = '';
  let values: Values = {};
  const network = classifier.inline((g) => {
    image = g.input('image', 'float32', [-1, ...classifier.inputShape]);
    values = mapped(samples, (s) => g.constant(s));
    return rowsOf(g, method, image, values, setting);
  });
  const { g } = network;
  const classes = classifier.classes;
  const logits = reshape(g, slice(g, reshape(g, network.logits, [-1, count, classes]), 1, 0, 1), [
    -1,
    classes,
  ]);
  const target = resolved(g, g.input('class_index', 'int64', [-1]), logits);
  const chosen = oneHot(g, target, classes);
  const sums = eachOf(network, method, setting, values, chosen, sum(g, mul(g, logits, chosen), [1]), [
    -1,
    count,
  ]);
  const attribution = g.within('explain', () => method.finish(g, image, sums, setting));
  return written(g, { attribution, logits, target }, metadata);
}

/** The rows [images · samples, C, H, W] that a method evaluates for `image` [images, C, H, W]. */
function rowsOf(
  g: GraphBuilder,
  method: Sampled<never>,
  image: Value,
  samples: Values,
  setting: AnySetting,
): Value {
  const grid = g.within('explain', () => method.rows(g, unsqueeze(g, image, [1]), samples, setting));
  const [images, count, ...rest] = g.shape(grid) as [number, number, ...number[]];
  return reshape(g, grid, [images * count, ...rest]);
}

/** Sums over the samples; `chosen` [images, classes] and `score` [images, 1] are those of the images. */
function eachOf(
  network: Network,
  method: Sampled<never>,
  setting: AnySetting,
  samples: Values,
  chosen: Value,
  score: Value,
  [images, count]: readonly [number, number],
): Values {
  const { g, logits } = network;
  const classes = g.shape(chosen)[1]!;
  const split = (value: Value) => reshape(g, value, [images, count, ...g.shape(value).slice(1)]);
  const perRow = reshape(g, mul(g, unsqueeze(g, chosen, [1]), onesOver(g, images, count, logits, classes)), [
    images * count,
    classes,
  ]);
  const scores = split(sum(g, mul(g, logits, perRow), [1], false));
  return g.within('explain', () =>
    method.each({ ...subjectOf(network, perRow, []), score, scores, split }, samples, setting),
  );
}

/** Ones [images, samples, classes], shaped after the scores. */
function onesOver(g: GraphBuilder, images: number, count: number, logits: Value, classes: number): Value {
  const filled = g.emit('ConstantOfShape', [g.emit('Shape', [logits])], {
    value: { tensor: tensor('float32', [1], Float32Array.of(1)) },
  });
  return reshape(g, filled, [images, count, classes]);
}

function subjectOf(network: Network, chosen: Value, layers: readonly Value[]): Subject {
  const { g, image, logits } = network;
  return {
    g,
    rows: image,
    logits,
    chosen,
    layers,
    gradients: (wanted, rules = gradientRules) =>
      differentiate(g, new Map([[logits, chosen]]), wanted, rules).map(
        (gradient, i) => gradient ?? zerosLike(g, wanted[i]!),
      ),
  };
}

/** The class asked for, or the predicted one where -1 was. */
const resolved = (g: GraphBuilder, asked: Value, logits: Value): Value =>
  where(
    g,
    g.emit('Less', [asked, g.constant(tensor('int64', [], BigInt64Array.of(0n)))]),
    g.emit('ArgMax', [logits], { axis: 1, keepdims: 0 }),
    asked,
  );

const oneHot = (g: GraphBuilder, target: Value, classes: number): Value =>
  g.emit('OneHot', [target, g.ints([classes]), g.floats([2], [0, 1])]);

function written(g: GraphBuilder, outputs: Values, metadata?: Metadata): Uint8Array {
  const types = Object.entries(outputs).map(([name, value]) => ({
    name,
    dtype: g.dtype(value),
    shape: g.shape(value).map((d) => (d > 0 ? d : d === -1 ? 'batch' : `${-d}*batch`)),
  }));
  return writeModel(renamed(g.graph('whylight', Object.values(outputs)), outputs), types, metadata);
}

const mapped = <A, B>(
  record: Readonly<Record<string, A>>,
  f: (value: A, name: string) => B,
): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
