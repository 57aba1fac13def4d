import { eitherWay, is, madeBy, polynomial, terms } from './expression.ts';
import type { Recogniser } from './recogniser.ts';

/** Recognises softsign, x / (1 + |x|), as a quotient or a product with the reciprocal. */
export const softsign: Recogniser = (g, node, precision) => {
  const quotients =
    node.op === 'Div'
      ? [node.inputs as [string, string]]
      : eitherWay(node).flatMap(([x, factor]) => {
          const reciprocal = madeBy(g, factor, 'Reciprocal');
          return reciprocal ? [[x, reciprocal.inputs[0]!] as const] : [];
        });
  for (const [x, divisor] of quotients) {
    const magnitude = terms(g, divisor, 'Abs').next().value;
    if (
      magnitude?.inputs[0] === x &&
      is(polynomial(g, divisor, magnitude.outputs), { 0: 1, 1: 1 }, precision)
    )
      return { op: 'Softsign', inputs: [x], parts: { divisor } };
  }
  return undefined;
};
