import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import type { Expression } from '../../onnx/expression.ts';
import { operators } from '../../operators/table.ts';
import { sizeOf } from '../../tensor.ts';

// Rows come in pairs: an image and the baseline that it is compared with. Finds the rows of a value, and computes sums,
// means and differences of the two rows of a pair.

/** The place of the rows of a value: they lie along `axis`; each is `inner` neighbours there, `outer` times. */
interface Rows {
  readonly axis: number;
  readonly outer: number;
  readonly inner: number;
}

/**
 * Finds where the rows of a value lie; undefined if it has no rows, or if that cannot be followed.
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

/** Finds the rows of a reshaped value: elements keep their order, so the number before each row stays the same. */
function viewed(g: GraphBuilder, from: Value, shape: readonly number[], axis: number, rows: number) {
  const found = rowsOf(g, from, rows);
  if (!found) return undefined;
  const outer = (sizeOf(g.shape(from).slice(0, found.axis)) * found.outer) / sizeOf(shape.slice(0, axis));
  const inner = shape[axis]! / rows / outer;
  return Number.isInteger(outer) && Number.isInteger(inner) ? { axis, outer, inner } : undefined;
}

/** Operations on pairs of rows that the rules of one network share, for its number of rows. */
export interface Pairs {
  /** Whether a value has separate rows for image and baseline. */
  varies(value: Expression): boolean;
  /** Reshapes to [before, pairs, 2, behind], image and baseline along axis 2. Cotangents have the rows of `like`. */
  paired(value: Expression, like?: Expression): Expression;
  /** Exchanges the two rows of each pair. */
  exchanged(value: Expression, like?: Expression): Expression;
  /** Gives the sum of both rows of a pair, in the place of each. */
  sum(value: Expression): Expression;
  /** Gives the mean of both rows of a pair, in the place of each; a value that does not vary stays. */
  mean(value: Expression): Expression;
  /** Gives each row minus the other row of its pair. */
  difference(value: Expression, like?: Expression): Expression;
}

/** @param rows the same as for `rowsOf`, an even number */
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
