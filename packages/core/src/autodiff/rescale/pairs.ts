import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Expression } from '../../onnx/expression.ts';
import { operators } from '../../operators/table.ts';
import { sizeOf } from '../../tensor.ts';

// Rows come in pairs: an image and the baseline that it is compared with. Where the rows of a value lie, and what one
// of a pair says of the other.

/** The rows of a value lie along `axis`; each is `inner` neighbours there, `outer` times over. */
interface Rows {
  readonly axis: number;
  readonly outer: number;
  readonly inner: number;
}

/**
 * Where the rows of a value lie; undefined where it has none, or where that cannot be followed.
 *
 * @param rows how many rows there are, as a dimension: negative for a multiple of an open batch
 */
export function rowsOf(g: GraphBuilder, value: Value, rows: number): Rows | undefined {
  if (value === '' || !g.knows(value)) return undefined;
  const shape = g.shape(value);
  if (rows > 0) {
    const inner = (shape[0] ?? 1) / rows;
    return g.dependsOnInputs(value) && Number.isInteger(inner) ? { axis: 0, outer: 1, inner } : undefined;
  }
  const axis = shape.findIndex((d) => d < 0);
  const each = (shape[axis] ?? 0) / rows;
  if (axis < 0 || shape.findLastIndex((d) => d < 0) !== axis || !Number.isInteger(each)) return undefined;
  if (each === 1) return { axis, outer: 1, inner: 1 };
  const maker = g.maker(value);
  if (maker && operators[maker.op].movement === 'view') return viewed(g, maker.inputs[0]!, shape, axis, rows);
  const like = maker?.inputs.find((input) => g.knows(input) && g.shape(input).includes(shape[axis]!));
  const found = like === undefined ? undefined : rowsOf(g, like, rows);
  return found ? { ...found, axis } : undefined;
}

/** The same elements in the same order: as many lie before each row as before. */
function viewed(g: GraphBuilder, from: Value, shape: readonly number[], axis: number, rows: number) {
  const found = rowsOf(g, from, rows);
  if (!found) return undefined;
  const outer = (sizeOf(g.shape(from).slice(0, found.axis)) * found.outer) / sizeOf(shape.slice(0, axis));
  const inner = shape[axis]! / rows / outer;
  return Number.isInteger(outer) && Number.isInteger(inner) ? { axis, outer, inner } : undefined;
}

/** What the rules of one network share: its graph, and how many rows it has. */
export interface Pairs {
  /** Whether image and baseline have values of their own here. */
  varies(value: Expression): boolean;
  /** As [before, pairs, 2, behind]: the image's values and the baseline's along axis 2. Cotangents have their rows where `like` has them. */
  paired(value: Expression, like?: Expression): Expression;
  /** Each row's value at the place of the other of its pair. */
  exchanged(value: Expression, like?: Expression): Expression;
  /** Of both of a pair, in the place of each. */
  sum(value: Expression): Expression;
  /** The mean of both of a pair, in the place of each; itself where they do not differ. */
  mean(value: Expression): Expression;
  /** Row minus the other of its pair. */
  difference(value: Expression, like?: Expression): Expression;
}

/** @param rows as of `rowsOf`, an even number */
export function pairsOf(rows: number): Pairs {
  const varies = ({ g, name }: Expression) => g.dependsOnInputs(name) && rowsOf(g, name, rows) !== undefined;
  function paired(value: Expression, like = value): Expression {
    const { g, name, shape } = like;
    const { axis, outer, inner } = rowsOf(g, name, rows)!;
    const before = sizeOf(shape.slice(0, axis)) * outer;
    return value.reshape([before, rows / 2, 2, inner * sizeOf(shape.slice(axis + 1))]);
  }
  function exchanged(value: Expression, like = value): Expression {
    if (!varies(like)) return value;
    const others = paired(value, like).gather(value.ints([1, 0]), 2);
    return others.reshape(like.shape);
  }
  const sum = (value: Expression) => value.add(exchanged(value));
  return {
    varies,
    paired,
    exchanged,
    sum,
    mean: (value) => (varies(value) ? sum(value).mul(0.5) : value),
    difference: (value, like) => value.sub(exchanged(value, like)),
  };
}

export const image = (paired: Expression): Expression => paired.slice(2, 0, 1);
export const baseline = (paired: Expression): Expression => paired.slice(2, 1, 2);
