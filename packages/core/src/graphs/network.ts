import { between } from '../autodiff/path.ts';
import { InputError } from '../errors.ts';
import { holding, isPlain, mapOf } from '../layers/form.ts';
import type { Layer } from '../layers/layers.ts';
import type { Method } from '../methods/method.ts';
import type { Classifier, Network } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { ShapeError } from '../onnx/fact.ts';
import { operators } from '../operators/table.ts';
import type { ScoreKind } from '../targets.ts';
import { narrow } from './narrow.ts';
import type { Request } from './request.ts';

export const imagesOf = (classifier: Classifier): Network =>
  classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));

export const oneImage = (g: GraphBuilder, { inputShape }: Classifier): Value =>
  g.input('image', 'float32', [1, ...inputShape]);

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

/** The network over what `feed` makes. Layers of another layout pass through a map, which is what is looked at. */
export function lookedAt(
  { classifier, method, layers, score }: Pick<Request<Method>, 'classifier' | 'method' | 'layers' | 'score'>,
  feed: (g: GraphBuilder) => Value,
): LookedAt {
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
  const network = classifier.inline(feed, through.length > 0 ? new Map(through) : undefined);
  const values = layers.map(({ name }) => maps.get(name) ?? network.resolve(name));
  const { scored, probabilities } = shown(network, score);
  const kept = [scored, probabilities].filter((value) => value !== null);
  if (!method.needs.includes('attention')) narrow(network, [...values, ...kept]);
  return { ...network, layers: values, scored, probabilities };
}

/** The network from a layer on: `rows` makes the layer's map of each row, from the image that `feed` makes. */
export function startingAt(
  { name, form }: Layer,
  classifier: Classifier,
  feed: (g: GraphBuilder) => Value,
  rows: (g: GraphBuilder, image: Value) => Value,
  score: ScoreKind,
): LookedAt {
  let start: Value = '';
  const replace = (g: GraphBuilder, value: Value) => {
    start = rows(g, 'image');
    return holding(g, start, value, form);
  };
  const network = classifier.inline(feed, new Map([[name, replace]]));
  return { ...network, image: start, layers: [start], ...shown(network, score) };
}

/**
 * Whether what comes after a layer is the same if the images before it are one, and the layer has many rows: nothing
 * reads the size of the batch off the images, and what is made of the layer meets no value that is made without it, but
 * in operators that spread one row over many by themselves.
 */
export function needsOneImage(classifier: Classifier, layer: Value, begun: () => LookedAt): boolean {
  const plain = imagesOf(classifier);
  if (meetsOthers(plain, layer)) return false;
  try {
    const { g, image: start } = begun();
    const [rows] = g.shape(start) as [number];
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
