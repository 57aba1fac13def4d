import type { GraphBuilder, Shape, Value } from '../../onnx/builder.ts';
import { add, mul, number, relu, scale, shift, zerosLike } from '../../onnx/emit.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import type { Parameters } from './linear-layers.ts';
import type { InputOf, ParametersOf, Term } from './rule.ts';

// What takes the place of a layer's input, weights and bias in a term of a rule.

/** The least and the greatest that each element of a value can be. */
export interface Bounds {
  readonly low: Value;
  readonly high: Value;
}

/** @returns `undefined` for ones */
export function modifiedInput(c: RuleContext, input: InputOf, box: () => Bounds): Value | undefined {
  const x = c.x(c.index);
  switch (input) {
    case 'unchanged':
      return x;
    case 'positive':
    case 'negative':
      return partOf(c.g, x, input);
    case 'one':
      return undefined;
    default:
      return box()[input];
  }
}

export function modifiedParameters(
  g: GraphBuilder,
  { weights, bias }: Parameters,
  { parameters, bias: counts }: Term,
): Parameters {
  const change = (value: Value) => modified(g, value, parameters);
  return { weights: change(weights), bias: counts && bias !== undefined ? change(bias) : undefined };
}

function modified(g: GraphBuilder, value: Value, how: ParametersOf): Value {
  if (typeof how === 'object') return add(g, value, scale(g, partOf(g, value, how.of), how.gamma));
  switch (how) {
    case 'unchanged':
      return value;
    case 'squared':
      return mul(g, value, value);
    case 'one':
      return shift(g, zerosLike(g, value), 1);
    default:
      return partOf(g, value, how);
  }
}

/** max(v, 0) or min(v, 0) */
const partOf = (g: GraphBuilder, value: Value, sign: 'positive' | 'negative'): Value =>
  sign === 'positive' ? relu(g, value) : g.emit('Min', [value, number(g, 0, value)]);

/** Ones in a data's shape: of one row, which all rows share, where the rest of the shape is known. */
export const onesOf = (g: GraphBuilder, [rows, ...rest]: Shape, like: Value): Value =>
  rows !== undefined && rows < 0 && rest.every((d) => d > 0)
    ? g.emit('Expand', [number(g, 1, like), g.ints([1, ...rest])])
    : shift(g, zerosLike(g, like), 1);
