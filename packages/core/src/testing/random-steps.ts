import fc from 'fast-check';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Attributes } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { int64 } from '../tensor.ts';

// Steps that random networks are made of: tokens [N, T, F] in, tokens out.

/** The tools that make a network: `step` adds its next node, `learned` makes weights that are all different. */
export interface Making {
  readonly g: GraphBuilder;
  step(op: OperatorName, inputs: readonly Value[], attributes?: Attributes): Value;
  learned(...shape: number[]): Value;
}

export type Step = (m: Making, x: Value, earlier: readonly Value[]) => Value;

export const sized = (g: GraphBuilder, x: Value): number[] => g.shape(x).slice(1) as number[];
export const whole = (g: GraphBuilder, ...values: number[]): Value =>
  g.constant(int64([values.length], values));
export const shaped = ({ g, step }: Making, x: Value, ...shape: number[]): Value =>
  step('Reshape', [x, whole(g, ...shape)]);

/** Possible shapes of a constant that is combined with [N, T, F]. */
const besides = fc.constantFrom<(shape: readonly number[]) => number[]>(
  () => [],
  () => [1],
  ([, f]) => [f!],
  ([, f]) => [1, f!],
  ([t, f]) => [t!, f!],
  ([t]) => [t!, 1],
  ([t, f]) => [1, t!, f!],
);

const pointwise: fc.Arbitrary<Step> = fc
  .constantFrom('Tanh', 'Relu', 'Sigmoid', 'Softplus', 'Erf', 'Elu')
  .map(
    (op) =>
      ({ step }, x) =>
        step(op, [x]),
  );

const withConstant: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom('Add', 'Sub', 'Mul', 'Max'), besides, fc.boolean())
  .map(([op, shapeOf, first]) => ({ g, step, learned }, x) => {
    const constant = learned(...shapeOf(sized(g, x)));
    return step(op, first ? [constant, x] : [x, constant]);
  });

/** A layer over features, sometimes with the weights of an earlier layer. */
const linear: fc.Arbitrary<Step> = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.boolean())
  .map(([to, shared]) => ({ g, step, learned }, x) => {
    const from = sized(g, x)[1]!;
    const known = shared && [...g.constants].find(([, { shape }]) => shape.join() === `${from},${from}`)?.[0];
    return step('MatMul', [x, known || learned(from, shared ? from : to)]);
  });

const overTokens: fc.Arbitrary<Step> = fc.integer({ min: 2, max: 9 }).map(
  (to) =>
    ({ g, step, learned }, x) =>
      step('MatMul', [learned(to, sized(g, x)[0]!), x]),
);

const normalised: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom(-1, 1, 2), fc.boolean())
  .map(([axis, biased]) => ({ g, step, learned }, x) => {
    const shape = sized(g, x).slice(axis === 1 ? 0 : 1);
    return step('LayerNormalization', [x, learned(...shape), ...(biased ? [learned(...shape)] : [])], {
      axis,
    });
  });

const residual: fc.Arbitrary<Step> = fc.nat(7).map((back) => ({ g, step }, x, earlier) => {
  const alike = earlier.filter((value) => g.shape(value).join() === g.shape(x).join());
  return step('Add', [x, alike.at(-1 - (back % alike.length))!]);
});

const turned: fc.Arbitrary<Step> = fc.constant(({ step }, x) => step('Transpose', [x], { perm: [0, 2, 1] }));

/** Swaps the numbers of tokens and of features by a Reshape, which keeps the order in memory. */
const relaid: fc.Arbitrary<Step> = fc.constant((m, x) => {
  const [tokens, features] = sized(m.g, x) as [number, number];
  return shaped(m, x, 0, features, tokens);
});

/** Cuts out some tokens, or some features of all tokens: two or more. */
const cut: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom(1, 2), fc.nat(2), fc.nat(2))
  .map(([axis, before, behind]) => ({ g, step }, x) => {
    const size = sized(g, x)[axis - 1]!;
    const start = Math.min(before, size - 2);
    const end = Math.max(size - behind, start + 2);
    return step('Slice', [x, whole(g, start), whole(g, end), whole(g, axis)]);
  });

/** Attention: each token becomes a mean of all tokens, by similarity; with one or two heads. */
const attention: fc.Arbitrary<Step> = fc
  .tuple(fc.boolean(), fc.constantFrom(-1, -2))
  .map(([two, axis]) => (m, x) => {
    const { g, step, learned } = m;
    const [tokens, features] = sized(g, x) as [number, number];
    const [q, k, v] = [0, 1, 2].map(() => {
      const made = step('MatMul', [x, learned(features, 4)]);
      return two ? step('Transpose', [shaped(m, made, 0, 0, 2, 2)], { perm: [0, 2, 1, 3] }) : made;
    }) as [Value, Value, Value];
    const turned = step('Transpose', [k], { perm: two ? [0, 1, 3, 2] : [0, 2, 1] });
    const weights = step('Softmax', [step('MatMul', [q, turned])], { axis });
    const mixed = step('MatMul', [weights, v]);
    return two ? shaped(m, step('Transpose', [mixed], { perm: [0, 2, 1, 3] }), 0, tokens, 4) : mixed;
  });

/** Steps that take each token by itself. */
export const tokenwise = fc.oneof(pointwise, withConstant, linear, turned, relaid);

export const block = fc.oneof(tokenwise, withConstant, overTokens, normalised, residual, cut, attention);
