import { InputError } from '../errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { array, div, mul, scale, sum, transpose, unsqueeze } from '../onnx/emit.ts';
import { int } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';
import { axisOf } from '../operators/shape/rule.ts';
import type { ScoreKind } from '../targets.ts';
import { boundsOf } from './bounds.ts';
import type { Sides } from './input-sizes.ts';
import type { RegionScore } from './score-spec.ts';

/** What a segmenter gives: a map for each class. */
export interface ClassMaps {
  readonly g: GraphBuilder;
  /** [rows, classes, H, W], before the last squashing function. */
  readonly maps: Value;
  /** The same as the model gives them. */
  readonly output: Value;
  /** The class of each pixel, int64 [rows, 1, H, W]; of a model of one class -1 where the class is not. */
  best(): Value;
}

/** How much each pixel counts, [rows or 1, 1, H, W]. */
export type RegionOf = (maps: ClassMaps) => Value;

/**
 * The maps of an output [N, C, H, W], [N, H, W, C] or [N, H, W].
 *
 * @param sides height and width of the image, which tell where the classes are
 * @param last whether the classes come last where that does not tell
 * @throws InputError invalid_model for an output of another form
 */
export function classMaps(
  g: GraphBuilder,
  value: Value,
  output: string,
  sides: Sides,
  last: boolean,
): ClassMaps {
  const shape = g.shape(value);
  const isMap = (shape.length === 4 || shape.length === 3) && shape.slice(1).every((d) => d > 0);
  const laid = isMap ? (shape.length === 3 ? unsqueeze(g, value, [1]) : value) : undefined;
  const [, a = 0, b = 0, c = 0] = laid === undefined ? [] : g.shape(laid);
  if (laid === undefined || (a * b <= 1 && b * c <= 1))
    throw new InputError(
      'invalid_model',
      `a region needs an output [batch, classes, height, width], [batch, height, width, classes] or [batch, height, width]; output ${quoted(output)} is [${shape.map((d) => (d < 0 ? 'batch' : d))}]`,
    );
  const [first, ending] = [isLike([b, c], sides), isLike([a, b], sides)];
  const isLast = shape.length === 4 && (first === ending ? last : ending);
  const toMaps = (from: Value) => (isLast ? transpose(g, from, [0, 3, 1, 2]) : from);
  const maker = g.maker(value);
  const classAxis = isLast ? 3 : 1;
  const squashes =
    maker?.op === 'Sigmoid' ||
    ((maker?.op === 'Softmax' || maker?.op === 'LogSoftmax') &&
      axisOf(int(maker, 'axis', -1), shape.length) === classAxis);
  const before = squashes && shape.length === 4 ? toMaps(maker!.inputs[0]!) : toMaps(laid);
  const given = toMaps(laid);
  return { g, maps: before, output: given, best: () => bestOf(g, before) };
}

/** Whether a map has the image's proportions, but for rounding. */
const isLike = ([height, width]: readonly [number, number], [h, w]: Sides): boolean =>
  height > 1 && width > 1 && Math.abs(height * w - width * h) <= Math.max(h, w);

function bestOf(g: GraphBuilder, maps: Value): Value {
  if (g.shape(maps)[1]! > 1) return g.emit('ArgMax', [maps], { axis: 1, keepdims: 1 });
  const { low, high } = boundsOf(g, maps);
  const isProbability = low >= 0 && high <= 1;
  const there = g.emit('Greater', [maps, g.scalar(isProbability ? 0.5 : 0)]);
  return g.emit('Where', [there, g.ints([0]), g.ints([-1])]);
}

/** Of what scores [rows, classes] are the sums: maps [rows, classes, H, W], and how much each pixel of them counts. */
export interface WeighedMaps {
  readonly maps: Value;
  readonly weights: Value;
}

/** The scores of a segmenter over a region, [rows, classes]. */
export class RegionScores {
  readonly logits: Value;
  /** By scores, what they are the sums of. */
  readonly weighed = new Map<Value, WeighedMaps>();
  private readonly found: ClassMaps;
  private readonly weights: Value;

  constructor(found: ClassMaps, { over }: RegionScore, region: RegionOf | undefined) {
    this.found = found;
    const { g, maps } = found;
    const counted = region?.(found) ?? array(g, [1, 1, 1, 1], [1], maps);
    this.weights = over === 'sum' ? counted : shared(found, counted);
    this.logits = this.reduced(maps);
  }

  private reduced(maps: Value): Value {
    const { g } = this.found;
    const { weights } = this;
    const scores = sum(g, mul(g, maps, weights), [2, 3], false);
    this.weighed.set(scores, { maps, weights });
    return scores;
  }

  /** Sums over a region are none. */
  probabilities(): null {
    return null;
  }

  /** @throws InputError `invalid_parameter` for a score that a region does not have */
  of(kind: ScoreKind): Value {
    if (kind === 'logit') return this.logits;
    if (kind === 'output')
      return this.found.output === this.found.maps ? this.logits : this.reduced(this.found.output);
    throw new InputError(
      'invalid_parameter',
      `score "${kind}": a region has no probability; use score logit (before the last squashing function) or output`,
      ['score'],
    );
  }
}

/** Weights that add up to 1 for each row, if any is above 0. */
function shared({ g, maps }: ClassMaps, weights: Value): Value {
  const [, , height, width] = g.shape(maps) as [number, number, number, number];
  const isSame = g
    .shape(weights)
    .slice(2)
    .every((d) => d === 1);
  if (isSame) return scale(g, weights, 1 / (height * width));
  const area = sum(g, weights, [2, 3]);
  const some = g.emit('Where', [g.emit('Greater', [area, g.scalar(0)]), area, g.scalar(1)]);
  return div(g, weights, some);
}
