import { between } from '../autodiff/path.ts';
import { InputError } from '../errors.ts';
import { type Form, holding, isPlain, mapOf } from '../layers/form.ts';
import { needsOf } from '../methods/method.ts';
import type { RegionOf } from '../model/class-maps.ts';
import type { Classifier, Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { ShapeError } from '../onnx/fact.ts';
import { operators } from '../operators/table.ts';
import type { ScoreKind } from '../targets.ts';
import { narrow } from './narrow.ts';
import type { Request } from './request.ts';

export const imagesOf = (classifier: Classifier): Network =>
  classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));

/** Of a score over a region, how much each pixel counts. */
export interface Region {
  readonly weights: RegionOf;
  /** Values that are made of the maps on the way, and needed beside the scores. */
  readonly kept: readonly Value[];
}

/** A network and the layers that are looked at, each as a map [rows, C, h, w]. */
export interface LookedAt extends Network {
  readonly layers: readonly Value[];
  /** What is explained, [rows, classes]. */
  readonly scored: Value;
  /** The model's own, [rows, classes]; `null` where its output is none. */
  readonly probabilities: Value | null;
}

const shown = ({ scores }: Network, score: ScoreKind) => ({
  scored: scores.of(score),
  probabilities: scores.probabilities(),
});

/** The network over rows of a graph. Layers of another layout pass through a map, which is what is looked at. */
export function lookedAt(
  { classifier, method, setting, layers, score }: Request,
  g: GraphBuilder,
  rows: Value,
  region?: Region,
): LookedAt {
  const before = g.nodes.flatMap(({ outputs }) => outputs);
  const maps = new Map<Value, Value>();
  const through = layers
    .filter(({ form }) => !isPlain(form))
    .map(({ name, shape, form }) => {
      const replace = (g: GraphBuilder, value: Value) => {
        const map = mapOf(g, value, form, shape);
        maps.set(name, map);
        return holding(g, map, value, form);
      };
      return [name, replace] as const;
    });
  const network = classifier.inline(
    () => rows,
    through.length > 0 ? new Map(through) : undefined,
    g,
    region?.weights,
  );
  const values = layers.map(({ name }) => maps.get(name) ?? network.resolve(name));
  const { scored, probabilities } = shown(network, score);
  const kept = [scored, probabilities, ...(region?.kept ?? [])].filter((value) => value !== null);
  if (!needsOf(method, setting.parameters).includes('attention'))
    narrow(network, [...before, ...values, ...kept]);
  return { ...network, layers: values, scored, probabilities };
}

/** A value inside a network, by its name in the file, and the form that its map has there. */
interface Inside {
  readonly name: Value;
  readonly form: Form;
}

/**
 * The network from a value inside it on: `rows` are that value's maps.
 *
 * @param image what comes before the value, or beside it, is made of: one image
 */
export function startingAt(
  { classifier, score }: Request,
  g: GraphBuilder,
  inside: Inside,
  rows: Value,
  image: Value,
  region?: Region,
): LookedAt {
  const begun = (g: GraphBuilder, rows: Value, image: Value, weights?: RegionOf) =>
    classifier.inline(
      () => image,
      new Map([[inside.name, (g: GraphBuilder, value: Value) => holding(g, rows, value, inside.form)]]),
      g,
      weights,
    );
  const { batch } = classifier;
  const isOne =
    batch !== undefined ||
    g.shape(rows)[0] === 1 ||
    needsOneImage(classifier, inside.name, g.shape(rows), begun);
  const beside = isOne ? filled(g, image, batch) : repeated(g, image, rows);
  const network = begun(g, rows, beside, region?.weights);
  return { ...network, image: rows, layers: [rows], ...shown(network, score) };
}

/** One image as often as there are rows. */
function repeated(g: GraphBuilder, image: Value, rows: Value): Value {
  const size = g.emit('Shape', [rows], { start: 0, end: 1 });
  const [, ...shape] = g.shape(image) as [number, ...number[]];
  return g.emit('Expand', [image, g.emit('Concat', [size, g.ints(shape)], { axis: 0 })]);
}

/**
 * Whether what comes after a layer is the same if the images before it are one, and the layer has many rows: nothing
 * reads the size of the batch off the images, and what is made of the layer meets no value that is made without it, but
 * in operators that spread one row over many by themselves.
 */
function needsOneImage(
  classifier: Classifier,
  layer: Value,
  shape: readonly number[],
  begun: (g: GraphBuilder, rows: Value, image: Value) => Network,
): boolean {
  const plain = imagesOf(classifier);
  if (meetsOthers(plain, layer)) return false;
  const g = classifier.newGraph();
  const image = g.input('image', 'float32', [1, ...classifier.inputShape]);
  const start = g.input('rows', 'float32', shape);
  try {
    begun(g, start, image);
    const [rows] = shape as [number];
    const after = new Set([start]);
    return g.nodes.every(({ inputs, outputs }) => {
      if (!inputs.some((input) => after.has(input))) return true;
      for (const output of outputs) after.add(output);
      return outputs.every((output) => sameRows(g, plain.g, output, -rows));
    });
  } catch (error) {
    if (error instanceof InputError || error instanceof ShapeError) return false;
    throw error;
  }
}

/** Whether a value of the file has so many times the rows that it has in the plain network, and else the same shape. */
function sameRows(g: GraphBuilder, plain: GraphBuilder, value: Value, times: number): boolean {
  if (!g.reserved.has(value) || !g.knows(value) || !plain.knows(value)) return true;
  const expected = plain.shape(value).map((d) => (d < 0 ? d * times : d));
  return g.shape(value).join() === expected.join();
}

/** Whether what is made of a layer meets values that are made without it, in an operator that takes equal rows only. */
function meetsOthers({ g, image, logits }: Network, layer: Value): boolean {
  const { nodes, moving } = between(g, [image], [logits]);
  const after = new Set([layer]);
  return nodes.some((node) => {
    const made = node.inputs.filter((input) => after.has(input));
    if (made.length === 0) return false;
    for (const output of node.outputs) after.add(output);
    return (
      !operators[node.op].elementwise && node.inputs.some((input) => moving.has(input) && !after.has(input))
    );
  });
}

/** One row repeated to the size of batch that the model has baked in. */
export const filled = (g: GraphBuilder, row: Value, batch = 1): Value =>
  batch === 1 ? row : g.emit('Expand', [row, g.ints([batch, ...g.shape(row).slice(1)])]);
