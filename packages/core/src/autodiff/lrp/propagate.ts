import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { add, div, mul, number, scale, sub } from '../../onnx/emit.ts';
import { gate, type RuleContext } from '../../operators/vjp/rule.ts';
import {
  applied,
  hasBias,
  type LinearLayer,
  type Parameters,
  parametersOf,
  plainNode,
} from './linear-layers.ts';
import { type Bounds, modifiedInput, modifiedParameters, onesOf } from './modified.ts';
import { isNonNegative } from './non-negative.ts';
import type { LinearRule, Part, Term } from './rule.ts';
import { derivative, stabilised } from './shares.ts';

// A rule in data, applied to a layer. What travels is relevance itself, not relevance over value: some rules give
// relevance to inputs that are 0, and an activation of 0 may have come from a value that is not.

/** A term with what takes the place of the input, weights and bias. */
interface Made extends Parameters {
  readonly term: Term;
  /** `undefined` for ones. */
  readonly x: Value | undefined;
}

/** The relevance of a layer's data by a rule; `box` makes the bounds of the data. */
export function propagated(c: RuleContext, layer: LinearLayer, rule: LinearRule, box: () => Bounds): Value {
  const { g } = c;
  const own = parametersOf(g, layer);
  const nonNegative = isNonNegative(g, c.x(c.index));
  const relevances = rule.parts.flatMap((part) => {
    const terms = part.terms
      .filter(({ input }) => !(nonNegative && input === 'negative'))
      .map((term): Made => {
        const input = nonNegative && term.input === 'positive' ? 'unchanged' : term.input;
        return { term, x: modifiedInput(c, input, box), ...modifiedParameters(g, own, term) };
      });
    return ofPart(c, layer, part, terms, rule.stabilizer);
  });
  return relevances.reduce((a, b) => add(g, a, b));
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
    const dx = pulledBack(c, layer, weights, scale(g, passing, term.subtracted ? -1 : 1));
    return x === undefined ? dx : mul(g, x, dx);
  });
}

/** What the layer gives for a term; for the layer as it is that is there already. */
function outputOf(c: RuleContext, layer: LinearLayer, { term, x, weights, bias }: Made): Value {
  const whole = term.bias || !hasBias(layer);
  if (term.input === 'unchanged' && term.parameters === 'unchanged' && whole) return layer.output;
  return applied(c.g, layer, x ?? onesOf(c.g, c.shape(c.index), c.x(c.index)), { weights, bias });
}

/** Relevance where the layer's own output has the sign. */
const signed = (g: GraphBuilder, y: Value, sign: 'positive' | 'negative', value: Value): Value =>
  gate(g, g.emit(sign === 'positive' ? 'Greater' : 'Less', [y, number(g, 0, y)]), value);

/** Σ_j w_ij d_j */
const pulledBack = (c: RuleContext, layer: LinearLayer, weights: Value, dy: Value): Value =>
  derivative({ ...c, node: plainNode(c.node), x: (i) => (i === layer.weights ? weights : c.x(i)) }, dy);
