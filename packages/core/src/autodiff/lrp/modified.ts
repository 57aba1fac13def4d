import type { Expression } from '../../onnx/expression.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import type { Parameters } from './linear-layers.ts';
import type { InputOf, ParametersOf, Term } from './rule.ts';

// Computes the replacements of a layer's input, weights and bias in a term of a rule.

/** The least and the greatest value that each element can have. */
export interface Bounds {
  readonly low: Expression;
  readonly high: Expression;
}

/** @returns `undefined` for ones */
export function modifiedInput(c: RuleContext, input: InputOf, box: () => Bounds): Expression | undefined {
  const x = c.x(c.index);
  switch (input) {
    case 'unchanged':
      return x;
    case 'positive':
    case 'negative':
      return partOf(x, input);
    case 'one':
      return undefined;
    default:
      return box()[input];
  }
}

export function modifiedParameters(
  { weights, bias }: Parameters,
  { parameters, bias: counts }: Term,
): Parameters {
  const change = (value: Expression) => modified(value, parameters);
  return { weights: change(weights), bias: counts && bias !== undefined ? change(bias) : undefined };
}

function modified(value: Expression, how: ParametersOf): Expression {
  if (typeof how === 'object') return value.add(partOf(value, how.of).mul(how.gamma));
  switch (how) {
    case 'unchanged':
      return value;
    case 'squared':
      return value.square();
    case 'one':
      return value.zerosLike().add(1);
    default:
      return partOf(value, how);
  }
}

/** max(v, 0) or min(v, 0) */
const partOf = (value: Expression, sign: 'positive' | 'negative'): Expression =>
  sign === 'positive' ? value.relu() : value.atMost(0);

/** Gives ones in the shape of data: of one row that all rows share, if the batch is open and the rest is known. */
export function onesOf(data: Expression): Expression {
  const [rows, ...rest] = data.shape;
  const shared = rows !== undefined && rows < 0 && rest.every((d) => d > 0);
  return shared ? data.number(1).expand([1, ...rest]) : data.zerosLike().add(1);
}
