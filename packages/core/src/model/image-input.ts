import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { codeOfDtype } from '../onnx/dtype.ts';
import type { Graph, ValueInfo } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { operators } from '../operators/table.ts';
import type { Tensor } from '../tensor.ts';
import { axesOf, type InputAxes, inputAxes } from './input-axes.ts';
import { type Sides, type SizeSource, sizesToTry } from './input-sizes.ts';

/** The input that takes images, and the roles of its axes. */
export interface ImageInput {
  readonly info: ValueInfo;
  readonly axes: InputAxes;
  readonly layout: 'NCHW' | 'NHWC';
}

/**
 * @param layout replaces the layout that the graph tells
 * @throws InputError for an input whose axes can be understood in several ways, or in no way
 */
export function understood(graph: Graph, info: ValueInfo, layout?: ImageInput['layout']): ImageInput {
  const found = inputAxes(graph, info);
  const axes = layout && info.shape.length === 4 ? { ...axesOf(layout), convolved: found?.convolved } : found;
  if (axes)
    return { info, axes, layout: axes.channels !== null && axes.channels > axes.rows ? 'NHWC' : 'NCHW' };
  throw new InputError(
    'invalid_model',
    `input ${quoted(info.name)} is [${info.shape}]: the file does not show whether that is [N, H, W] or [C, H, W]; export the model with an input [N, C, H, W] or [N, H, W, C]`,
  );
}

export function statedSidesOf({ info, axes }: ImageInput): Sides | null {
  const [height, width] = [info.shape[axes.rows]!, info.shape[axes.columns]!];
  return typeof height === 'number' && typeof width === 'number' ? [height, width] : null;
}

/** The request for an input's size. */
export interface AskedSize {
  readonly inputShape?: readonly number[] | undefined;
  readonly size?: Sides | undefined;
  readonly anySize?: boolean | undefined;
}

export interface ShapeToTry {
  readonly shape: readonly number[];
  readonly source: SizeSource;
}

/**
 * Lists the shapes [C, H, W] or [H, W, C] for which to read the network: one shape if the file states it or it is
 * requested, else the shapes to try in turn.
 *
 * @throws InputError if the requested shape is not the shape that the file states
 */
export function shapesToTry(graph: Graph, input: ImageInput, asked: AskedSize): readonly ShapeToTry[] {
  const { axes, layout, info } = input;
  const { inputShape, size, anySize = false } = asked;
  const along = (axis: number | null) => (axis === null ? 1 : info.shape[axis]!);
  const shapeOf = (channels: number, [height, width]: Sides) =>
    layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
  if (inputShape && anySize) return [{ shape: inputShape, source: 'asked' }];
  const stated = [along(axes.rows), along(axes.columns)] as const;
  const channels = along(axes.channels);
  const count =
    typeof channels === 'number'
      ? channels
      : (axes.convolved ?? inputShape?.at(layout === 'NCHW' ? 0 : 2) ?? 3);
  const wanted: Sides | undefined =
    size ??
    (inputShape && (layout === 'NCHW' ? [inputShape[1]!, inputShape[2]!] : [inputShape[0]!, inputShape[1]!]));
  const fits = (d: number | string, of: number) => typeof d === 'string' || d === of;
  const refused =
    (inputShape && (inputShape.length !== 3 || !fits(channels, inputShape.at(layout === 'NCHW' ? 0 : 2)!))) ||
    (wanted && !anySize && !(fits(stated[0], wanted[0]) && fits(stated[1], wanted[1])));
  if (refused) {
    const own = layout === 'NCHW' ? [channels, ...stated] : [...stated, channels];
    const other = inputShape ?? shapeOf(count, wanted!);
    throw new InputError(
      'invalid_model',
      `the model takes inputs [N, ${own.join(', ')}], but [N, ${other.join(', ')}] was requested`,
    );
  }
  if (wanted) {
    const isStated = stated[0] === wanted[0] && stated[1] === wanted[1];
    return [{ shape: shapeOf(count, wanted), source: isStated ? 'file' : 'asked' }];
  }
  return sizesToTry(graph, stated).map(({ sides, source }) => ({ shape: shapeOf(count, sides), source }));
}

/** Operators that move numbers of any type, and Cast, which also takes any type. */
const takesAny: ReadonlySet<string> = new Set([
  ...[
    'Cast',
    'Transpose',
    'Reshape',
    'Squeeze',
    'Unsqueeze',
    'Flatten',
    'Identity',
    'Shape',
    'Slice',
    'Gather',
  ],
]);

/**
 * Converts images in float32 to the input that the file declares: to the file's axes, and to its type if the network
 * needs that type. For a network that casts its input to float itself the images stay float32, so that methods may ask
 * for values between two levels.
 */
export function asInFile(
  g: GraphBuilder,
  image: Value,
  { info, axes, layout }: ImageInput,
  graph: Graph,
): Value {
  const gone = [
    ...(axes.batch === null ? [0] : []),
    ...(axes.channels === null ? [layout === 'NCHW' ? 1 : 3] : []),
  ];
  const shaped = gone.length === 0 ? image : g.emit('Squeeze', [image, g.ints(gone)]);
  const float = ['float32', 'float16', 'float64'].includes(info.dtype);
  if (float || castsItself(graph, info.name)) return shaped;
  // Rounds to the nearest level within the type's range, and has a derivative; a Cast to integers has no derivative.
  if (info.dtype === 'uint8' || info.dtype === 'int8') {
    const zero = { dtype: info.dtype, shape: [], data: levels[info.dtype].of(0) } as Tensor;
    return g.emit('QuantizeLinear', [shaped, g.scalar(1), g.constant(zero)]);
  }
  return g.emit('Cast', [shaped], { to: codeOfDtype[info.dtype] });
}

const levels = { uint8: Uint8Array, int8: Int8Array } as const;

function castsItself({ nodes }: Graph, input: string): boolean {
  const reached = new Set([input]);
  for (const { op, inputs, outputs } of nodes) {
    if (!inputs.some((name) => reached.has(name))) continue;
    if (!takesAny.has(op)) return false;
    if (operators[op].movement !== 'no' || op === 'Identity')
      for (const output of outputs) reached.add(output);
  }
  return true;
}
