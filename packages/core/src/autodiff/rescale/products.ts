import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { div, mul, neg, scale } from '../../onnx/emit.ts';
import type { Vjp } from '../../operators/vjp/rule.ts';
import type { Pairs } from './pairs.ts';
import { over, plain } from './secant.ts';

// Functions of two moving values: each has its Shapley value, the change that it makes averaged over both values of the
// other, as in SHAP's DeepExplainer.

/** Of what is linear in each: the derivative, with the other at the mean of both. */
export const averaged =
  (pairs: Pairs): Vjp =>
  (c) =>
    plain({ ...c, x: (i) => (i === c.index ? c.x(i) : pairs.mean(c.g, c.x(i))) });

/**
 * y = a/b: the mean of 1/b for a, -mean(a)/(b b') for b. Where a value is divided by a norm of its own, the product
 * a = y·b is shared out instead, Δy = (Δa - mean(y)·Δb) / mean(b): a mean of 1/b and what it is compensated by are as
 * large as the smaller norm makes them, and layer by layer leave nothing but rounding of a norm that is almost 0.
 */
export const quotient =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { g, dy } = c;
    const [a, b] = [c.x(0), c.x(1)];
    if (!pairs.varies(g, b)) return plain(c);
    if (isMadeOf(g, b, a)) {
      const share = div(g, dy, pairs.mean(g, b));
      return c.index === 0 ? share : neg(g, mul(g, share, pairs.mean(g, c.y)));
    }
    if (c.index === 0) return mul(g, dy, pairs.mean(g, g.emit('Reciprocal', [b])));
    return neg(g, div(g, mul(g, dy, pairs.mean(g, a)), mul(g, b, pairs.exchanged(g, b))));
  };

/** Whether a value is computed from another. */
function isMadeOf(g: GraphBuilder, made: Value, of: Value): boolean {
  const seen = new Set<Value>();
  const left = [made];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (value === of) return true;
    if (seen.has(value) || !g.dependsOnInputs(value)) continue;
    seen.add(value);
    left.push(...(g.maker(value)?.inputs ?? []));
  }
  return false;
}

/** Of any function f(a, b): ½(f(a, b) - f(a', b) + f(a, b') - f(a', b')) / Δa for a, and likewise for b. */
export const shapley =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { g, node, y, dy, index } = c;
    const mixed = g.emit(node.op, [c.x(0), pairs.exchanged(g, c.x(1))], node.attributes);
    const [straight, crossed] = [pairs.difference(g, y), pairs.difference(g, mixed)];
    const both = index === 0 ? g.emit('Add', [straight, crossed]) : g.emit('Sub', [straight, crossed]);
    return over(c, mul(g, dy, scale(g, both, 0.5)), pairs.difference(g, c.x(index)), plain(c));
  };
