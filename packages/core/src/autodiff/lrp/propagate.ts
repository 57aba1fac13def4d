import type { Expression } from '../../onnx/expression.ts';
import type { RuleContext } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import type { LinearLayer } from './canonical.ts';
import { applyLayer, hasBias, type Parameters, parametersOf, plainNode } from './linear-layers.ts';
import { type Bounds, modifiedInput, modifiedParameters, onesOf } from './modified.ts';
import { isNonNegative } from './non-negative.ts';
import type { LinearRule, Part, Term } from './rule.ts';
import { stabilised } from './shares.ts';

// Applies a rule given as data to a layer. Relevance itself is propagated, not relevance over value: some rules give
// relevance to inputs that are 0, and an activation of 0 may have come from a value that is not 0.

/** A term with the modified input, weights and bias. */
interface Made extends Parameters {
  readonly term: Term;
  /** `undefined` for ones. */
  readonly x: Expression | undefined;
}

/** Computes the relevance of a layer's data by a rule; `box` makes the bounds of the data. */
export function propagated(
  c: RuleContext,
  layer: LinearLayer,
  rule: LinearRule,
  box: () => Bounds,
): Expression {
  const own = parametersOf(c, layer);
  const x = c.x(c.index);
  const nonNegative = isNonNegative(x.g, x.name);
  const relevances = rule.parts.flatMap((part) => {
    const terms = part.terms
      .filter(({ input }) => !(nonNegative && input === 'negative'))
      .map((term): Made => {
        const input = nonNegative && term.input === 'positive' ? 'unchanged' : term.input;
        return { term, x: modifiedInput(c, input, box), ...modifiedParameters(own, term) };
      });
    return ofPart(c, layer, part, terms, rule.stabilizer);
  });
  return relevances.reduce((a, b) => a.add(b));
}

function ofPart(
  c: RuleContext,
  layer: LinearLayer,
  part: Part,
  terms: readonly Made[],
  epsilon: number,
): Expression[] {
  const outputs = terms.map((made) => outputOf(c, layer, made));
  const z = outputs.reduce((sum, out, k) => (terms[k]!.term.subtracted ? sum.sub(out) : sum.add(out)));
  const share = c.dy.div(stabilised(z, epsilon, part.denominator)).mul(part.share);
  const passing = part.where ? signed(layer.output, part.where, share) : share;
  return terms.map(({ x, weights, term }) => {
    const dx = pulledBack(c, layer, weights, passing.mul(term.subtracted ? -1 : 1));
    return x === undefined ? dx : x.mul(dx);
  });
}

/** Gives the layer's output for a term; for unmodified input and parameters it is the output that exists already. */
function outputOf(c: RuleContext, layer: LinearLayer, { term, x, weights, bias }: Made): Expression {
  const whole = term.bias || !hasBias(layer);
  if (term.input === 'unchanged' && term.parameters === 'unchanged' && whole) return layer.output;
  return applyLayer(layer, x ?? onesOf(c.x(c.index)), { weights, bias });
}

/** Keeps relevance only where the layer's own output has the sign. */
const signed = (y: Expression, sign: 'positive' | 'negative', value: Expression): Expression =>
  value.gate(sign === 'positive' ? y.isGreater(0) : y.isLess(0));

/** Σ_j w_ij d_j */
const pulledBack = (c: RuleContext, layer: LinearLayer, weights: Expression, dy: Expression): Expression =>
  derivative({ ...c, node: plainNode(c.node), x: (i) => (i === layer.weights ? weights : c.x(i)) }, dy);
