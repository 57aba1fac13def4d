import type { Value } from '../../onnx/builder.ts';
import type { Expression } from '../../onnx/expression.ts';
import type { Vjp } from '../../operators/vjp/rule.ts';
import { derivative } from '../gradient.ts';
import type { Pairs } from './pairs.ts';
import { over } from './secant.ts';

// Functions of two moving values: each value has its Shapley value, which is the change that it makes, averaged over
// both values of the other, as in SHAP's DeepExplainer.

/** The rule if y is linear in each value: the derivative, with the other value at the mean of its pair. */
export const averaged =
  (pairs: Pairs): Vjp =>
  (c) =>
    derivative({ ...c, x: (i) => (i === c.index ? c.x(i) : pairs.mean(c.x(i))) });

/**
 * y = a/b: the mean of 1/b for a, -mean(a)/(b b') for b. If a value is divided by a norm of its own, the product
 * a = y·b is shared out instead, Δy = (Δa - mean(y)·Δb) / mean(b): if a norm is almost 0, the mean of 1/b and the term
 * that compensates it are as large as the smaller norm makes them, and layer by layer only rounding errors remain.
 */
export const quotient =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { y, dy } = c;
    const [a, b] = [c.x(0), c.x(1)];
    if (!pairs.varies(b)) return derivative(c);
    if (isMadeOf(b, a)) {
      const share = dy.div(pairs.mean(b));
      return c.index === 0 ? share : share.mul(pairs.mean(y)).neg();
    }
    if (c.index === 0) return dy.mul(pairs.mean(b.reciprocal()));
    const above = dy.mul(pairs.mean(a));
    return above.div(b.mul(pairs.exchanged(b))).neg();
  };

/** Whether a value is computed from another. */
function isMadeOf({ g, name }: Expression, of: Expression): boolean {
  const seen = new Set<Value>();
  const left = [name];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (value === of.name) return true;
    if (seen.has(value) || !g.dependsOnInputs(value)) continue;
    seen.add(value);
    left.push(...(g.maker(value)?.inputs ?? []));
  }
  return false;
}

/** The rule of any function f(a, b): ½(f(a, b) - f(a', b) + f(a, b') - f(a', b')) / Δa for a, and likewise for b. */
export const shapley =
  (pairs: Pairs): Vjp =>
  (c) => {
    const { node, x, y, dy, index } = c;
    const mixed = x(0).emit(node.op, [pairs.exchanged(x(1))], node.attributes);
    const [straight, crossed] = [pairs.difference(y), pairs.difference(mixed)];
    const both = index === 0 ? straight.add(crossed) : straight.sub(crossed);
    return over(dy.mul(both.mul(0.5)), pairs.difference(x(index)), derivative(c));
  };
