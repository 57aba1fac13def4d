import type { GraphBuilder, Shape, Value } from '../../onnx/builder.ts';
import { add, div, mul, number, relu, scale, shift, sub, where, zerosLike } from '../../onnx/emit.ts';
import { gate, type RuleContext, type Vjp, vjpOf } from '../rule.ts';
import { gradientRules } from '../rules/index.ts';
import { applied, type LinearLayer, type Parameters, parametersOf, plainNode } from './linear-layers.ts';
import { isNonNegative } from './non-negative.ts';
import type { InputOf, LinearRule, ParametersOf, Part, Term } from './rule.ts';

// A rule in data, applied to an operator. What travels is relevance itself, not relevance over value: some rules give
// relevance to inputs that are 0, and an activation of 0 may have come from a value that is not.

/** The least and the greatest that each element of a value can be. */
export interface Bounds {
  readonly low: Value;
  readonly high: Value;
}

/** z + ε·sign z, with sign 0 = 1. */
export function stabilised(g: GraphBuilder, z: Value, epsilon: number, sign?: Part['denominator']): Value {
  if (sign) return shift(g, z, sign === 'positive' ? epsilon : -epsilon);
  const positive = g.emit('GreaterOrEqual', [z, number(g, 0, z)]);
  return add(g, z, where(g, positive, number(g, epsilon, z), number(g, -epsilon, z)));
}

/** Σ_j ∂y_j/∂x_i d_j: an operator's own derivative. */
export const derivative = (c: RuleContext, dy: Value): Value =>
  (vjpOf(gradientRules, c.node.op, c.index) as Vjp)({ ...c, dy });

/**
 * The ε-rule by the operator's own derivative, R_i = x_i Σ_j ∂y_j/∂x_i R_j / stabilised(count · y_j): what is linear in several
 * inputs, or in one; what is not linear counts as its linear part at x.
 *
 * @param count in how many inputs the operator is linear with the others held, each of which has its even share
 */
export const linearised = (c: RuleContext, epsilon: number, count = 1): Value => {
  const { g, y, dy } = c;
  return mul(g, c.x(c.index), derivative(c, div(g, dy, stabilised(g, scale(g, y, count), epsilon))));
};

/** The relevance of a layer's data by a rule; `bounds` makes the bounds of the data. */
export function propagated(
  c: RuleContext,
  layer: LinearLayer,
  rule: LinearRule,
  bounds: () => Bounds,
): Value {
  const { g } = c;
  const own = parametersOf(g, layer);
  const box = rule.parts.some(({ terms }) => terms.some(({ input }) => input === 'low' || input === 'high'))
    ? bounds()
    : undefined;
  const nonNegative = isNonNegative(g, c.x(c.index));
  const relevances = rule.parts.flatMap((part) => {
    const terms = part.terms
      .filter(({ input }) => !(nonNegative && input === 'negative'))
      .map((term): Made => {
        const input = nonNegative && term.input === 'positive' ? 'unchanged' : term.input;
        return { term, x: inputOf(c, input, box), ...modified(g, own, term) };
      });
    return ofPart(c, layer, part, terms, rule.stabilizer);
  });
  return relevances.reduce((a, b) => add(g, a, b));
}

/** A term with what takes the place of the input, weights and bias. */
interface Made extends Parameters {
  readonly term: Term;
  /** `undefined` for ones. */
  readonly x: Value | undefined;
}

function ofPart(
  c: RuleContext,
  layer: LinearLayer,
  part: Part,
  terms: readonly Made[],
  epsilon: number,
): Value[] {
  const { g, dy } = c;
  const outputs = terms.map((made) => outputOf(c, layer, made));
  const z = outputs.reduce((sum, out, k) =>
    terms[k]!.term.subtracted ? sub(g, sum, out) : add(g, sum, out),
  );
  const share = scale(g, div(g, dy, stabilised(g, z, epsilon, part.denominator)), part.share);
  const passing = part.where ? signed(g, layer.output, part.where, share) : share;
  return terms.map(({ x, weights, term }) => {
    const dx = pulledBack(c, layer, weights, term.subtracted ? scale(g, passing, -1) : passing);
    return x === undefined ? dx : mul(g, x, dx);
  });
}

/** What the layer gives for a term; for the layer as it is that is there already. */
function outputOf(c: RuleContext, layer: LinearLayer, { term, x, weights, bias }: Made): Value {
  const { g } = c;
  const whole = term.bias || !hasBias(layer);
  if (term.input === 'unchanged' && term.parameters === 'unchanged' && whole) return layer.output;
  return applied(g, layer, x ?? ones(g, c.shape(c.index), c.x(c.index)), { weights, bias });
}

const hasBias = ({ node, merged }: LinearLayer): boolean => Boolean(node.inputs[2]) || merged.length > 0;

/** Relevance where the layer's own output has the sign. */
const signed = (g: GraphBuilder, y: Value, sign: 'positive' | 'negative', value: Value): Value =>
  gate(g, g.emit(sign === 'positive' ? 'Greater' : 'Less', [y, number(g, 0, y)]), value);

/** Σ_j w_ij d_j */
function pulledBack(c: RuleContext, layer: LinearLayer, weights: Value, dy: Value): Value {
  const x = (i: number) => (i === layer.weights ? weights : c.x(i));
  return derivative({ ...c, node: plainNode(c.node), x }, dy);
}

function inputOf(c: RuleContext, input: InputOf, box: Bounds | undefined): Value | undefined {
  const { g } = c;
  const x = c.x(c.index);
  switch (input) {
    case 'unchanged':
      return x;
    case 'positive':
      return relu(g, x);
    case 'negative':
      return g.emit('Min', [x, number(g, 0, x)]);
    case 'one':
      return undefined;
    case 'low':
    case 'high':
      return box![input];
  }
}

function modified(
  g: GraphBuilder,
  { weights, bias }: Parameters,
  { parameters, bias: counts }: Term,
): Parameters {
  const change = (value: Value) => modifiedBy(g, value, parameters);
  return { weights: change(weights), bias: counts && bias !== undefined ? change(bias) : undefined };
}

function modifiedBy(g: GraphBuilder, value: Value, how: ParametersOf): Value {
  const part = (sign: 'positive' | 'negative') =>
    sign === 'positive' ? relu(g, value) : g.emit('Min', [value, number(g, 0, value)]);
  if (typeof how === 'object') return add(g, value, scale(g, part(how.of), how.gamma));
  switch (how) {
    case 'unchanged':
      return value;
    case 'squared':
      return mul(g, value, value);
    case 'one':
      return shift(g, zerosLike(g, value), 1);
    default:
      return part(how);
  }
}

/** Ones in a data's shape: of one row, which all rows share, where the rest of the shape is known. */
const ones = (g: GraphBuilder, [rows, ...rest]: Shape, like: Value): Value =>
  rows !== undefined && rows < 0 && rest.every((d) => d > 0)
    ? g.emit('Expand', [number(g, 1, like), g.ints([1, ...rest])])
    : shift(g, zerosLike(g, like), 1);
