import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { codeOfDtype, isFloat } from '../onnx/dtype.ts';
import { maximum, mean, reshape, sum } from '../onnx/emit.ts';
import type { Graph } from '../onnx/graph.ts';
import { listed, quoted } from '../onnx/names.ts';
import { nearestName } from '../onnx/nearest-name.ts';
import { sizeOf } from '../tensor.ts';
import { spansOf } from './basic-index.ts';
import { type ValueScore, valueScoreText } from './score-spec.ts';

/** The values of a file that a score may name: its outputs, or what its nodes and inputs give. */
const namesFor = ({ outputs, nodes }: Graph, { type }: ValueScore): readonly string[] =>
  type === 'output' ? outputs : nodes.flatMap((node) => node.outputs).filter((name) => name !== '');

/** @throws InputError invalid_parameter when the file has no value of the name */
export function checkNamed(graph: Graph, score: ValueScore): void {
  const known = namesFor(graph, score);
  if (known.includes(score.name)) return;
  const near = nearestName(score.name, known);
  const hint =
    near === undefined ? `the last are ${listed(known.slice(-3))}` : `did you mean ${quoted(near)}?`;
  throw new InputError(
    'invalid_parameter',
    `score ${quoted(valueScoreText(score))}: the model has no ${score.type} ${quoted(score.name)}; ${hint} (after the name come [INDEX] and one of .sum, .mean, .max, .norm)`,
    ['score'],
  );
}

/**
 * One number for each row of a value, [rows, 1].
 *
 * @param images how many rows the images have, where these are known to be the network's own
 * @throws InputError invalid_parameter for a value that no score can be made of
 */
export function reducedValue(
  g: GraphBuilder,
  value: Value,
  score: ValueScore,
  images: number | undefined,
): Value {
  const what = `score ${quoted(valueScoreText(score))}`;
  const refuse = (message: string): never => {
    throw new InputError('invalid_parameter', `${what}: ${message}`, ['score']);
  };
  if (!g.knows(value))
    refuse('the shape of the value depends on what the image shows, so that no score can be made of it');
  if (!isFloat(g.dtype(value)))
    refuse(
      `the value is ${g.dtype(value)}: whole numbers and truth values do not change little by little with the image; choose a value of floating-point numbers, such as the one that this is made of`,
    );
  const [rows, ...shape] = g.shape(value);
  const shown = `[${g
    .shape(value)
    .map((d) => (d < 0 ? 'batch' : d))
    .join(', ')}]`;
  if (rows === undefined || (images !== undefined && rows !== images))
    refuse(`expected one row for each image; the value is ${shown}`);
  if (shape.some((d) => d <= 0)) refuse(`the value is ${shown}, of which nothing is left to reduce`);
  const taken = sliced(g, value, spansOf(score.index, shape, what));
  const real = g.dtype(taken) === 'float32' ? taken : g.emit('Cast', [taken], { to: codeOfDtype.float32 });
  const flat = reshape(g, real, [rows!, sizeOf(g.shape(taken).slice(1))]);
  switch (score.reduce) {
    case 'sum':
      return sum(g, flat, [1]);
    case 'mean':
      return mean(g, flat, [1]);
    case 'max':
      return maximum(g, flat, [1]);
    case 'norm':
      return g.emit('ReduceL2', [flat, g.ints([1])], { keepdims: 1 });
  }
}

/** What the spans take of each axis after the first. */
function sliced(g: GraphBuilder, value: Value, spans: ReturnType<typeof spansOf>): Value {
  const shape = g.shape(value).slice(1);
  const cut = spans
    .map((span, i) => ({ ...span, axis: i + 1 }))
    .filter(({ start, end, step, axis }) => start > 0 || end < shape[axis - 1]! || step > 1);
  if (cut.length === 0) return value;
  const ints = (of: (span: (typeof cut)[number]) => number) => g.ints(cut.map(of));
  return g.emit('Slice', [
    value,
    ints(({ start }) => start),
    ints(({ end }) => end),
    ints(({ axis }) => axis),
    ints(({ step }) => step),
  ]);
}
