import fc from 'fast-check';
import type { Value } from '../onnx/builder.ts';
import { float32, int64, sizeOf } from '../tensor.ts';
import { networkOf, tinyShape } from './network.ts';
import { block, type Making, type Step, shaped, sized, tokenwise, whole } from './random-steps.ts';

// Random networks over images [N, 2, 6, 6] with five classes: blocks over tokens, a reading of one or some tokens, and
// a head; or maps, and a head. The values have the names `n0`, `n1`, …

export const classes = 5;

export interface Made {
  readonly bytes: Uint8Array;
  /** Values that depend on the image, in order, without the scores. */
  readonly values: readonly Value[];
}

/** Reads one token, by its index from the front or the back, or a mean over some or all tokens: [N, F]. */
const read: fc.Arbitrary<Step> = fc
  .tuple(
    fc.constantFrom('gather', 'gather and squeeze', 'slice', 'mean', 'mean of some'),
    fc.nat(8),
    fc.boolean(),
  )
  .map(([how, at, fromBack]) => (m, x) => {
    const { g, step } = m;
    const [tokens] = sized(g, x) as [number];
    const index = (at % tokens) - (fromBack ? tokens : 0);
    if (how === 'gather') return step('Gather', [x, g.constant(int64([], [index]))], { axis: 1 });
    if (how === 'gather and squeeze')
      return step('Squeeze', [step('Gather', [x, whole(g, index)], { axis: 1 }), whole(g, 1)]);
    if (how === 'mean') return step('ReduceMean', [x, whole(g, 1)], { keepdims: 0 });
    const end = index === -1 ? Number.MAX_SAFE_INTEGER : index + 1;
    const taken = step('Slice', [
      x,
      whole(g, how === 'slice' ? index : 0),
      whole(g, end),
      whole(g, fromBack ? -2 : 1),
    ]);
    return how === 'slice'
      ? step('Flatten', [taken], { axis: 1 })
      : step('ReduceMean', [taken, whole(g, 1)], { keepdims: 0 });
  });

/** Concatenates one or two readings, each after up to two steps of its own over the tokens. */
const readings: fc.Arbitrary<Step> = fc
  .array(fc.tuple(fc.array(tokenwise, { maxLength: 2 }), read), { minLength: 1, maxLength: 2 })
  .map((branches) => (m, x, earlier) => {
    const seen = branches.map(([steps, read]) =>
      read(
        m,
        steps.reduce((y, step) => step(m, y, earlier), x),
        earlier,
      ),
    );
    return seen.length > 1 ? m.step('Concat', seen, { axis: 1 }) : seen[0]!;
  });

/** Computes five scores from features [N, F]. */
const head: fc.Arbitrary<Step> = fc
  .record({
    op: fc.constantFrom('Gemm', 'turned Gemm', 'scaled Gemm', 'MatMul'),
    bias: fc.constantFrom(undefined, [], [1], [classes], [1, classes], [1, 1]),
    first: fc.boolean(),
    relu: fc.boolean(),
    added: fc.constantFrom(undefined, [], [classes], [1, classes]),
  })
  .map(({ op, bias, first, relu, added }) => ({ g, step, learned }, x) => {
    const [features] = sized(g, x) as [number];
    const plus = (x: Value, shape: readonly number[] | undefined) =>
      shape ? step('Add', first ? [learned(...shape), x] : [x, learned(...shape)]) : x;
    const transB = op === 'turned Gemm' ? 1 : 0;
    const weights = transB ? learned(classes, features) : learned(features, classes);
    const attributes = { transB, ...(op === 'scaled Gemm' && { alpha: { float: 0.5 } }) };
    const scores =
      op === 'MatMul'
        ? plus(step('MatMul', [x, weights]), bias)
        : step('Gemm', [x, weights, ...(bias ? [learned(...bias)] : [])], attributes);
    return plus(relu ? step('Relu', [scores]) : scores, added);
  });

/** Computes five scores from a map [N, C, h, w], by a convolution of size 1 or 3. */
const convolved: fc.Arbitrary<Step> = fc
  .record({
    size: fc.constantFrom(1, 1, 3),
    strides: fc.constantFrom([1, 1], [1, 1], [2, 2]),
    padded: fc.boolean(),
    biased: fc.boolean(),
    pool: fc.constantFrom('GlobalAveragePool', 'ReduceMean', 'first'),
    relu: fc.constantFrom('before', 'after', 'nowhere'),
    flat: fc.constantFrom('Flatten', 'Squeeze', 'Reshape'),
  })
  .map(({ size, strides, padded, biased, pool, relu, flat }) => (m, x) => {
    const { g, step, learned } = m;
    const pooled = (x: Value): Value =>
      pool === 'ReduceMean' ? step('ReduceMean', [x, whole(g, 2, -1)]) : step('GlobalAveragePool', [x]);
    const rectified = (x: Value) => step('Relu', [x]);
    const from = pool === 'first' ? pooled(x) : x;
    const weights = [learned(classes, sized(g, x)[0]!, size, size), ...(biased ? [learned(classes)] : [])];
    const pads = Array(4).fill(padded || (size > 1 && pool === 'first') ? 1 : 0);
    const conv = step('Conv', [from, ...weights], { strides, pads });
    const seen = relu === 'before' ? rectified(conv) : conv;
    const mean = pool === 'first' && pads[0] === 0 ? seen : pooled(seen);
    const scores = relu === 'after' ? rectified(mean) : mean;
    if (flat === 'Reshape') return shaped(m, scores, 0, -1);
    return flat === 'Squeeze'
      ? step('Squeeze', [scores, whole(g, 2, 3)])
      : step('Flatten', [scores], { axis: 1 });
  });

function made(steps: readonly Step[]): Made {
  const values: Value[] = [];
  let serial = 0;
  const bytes = networkOf(tinyShape, (layer, image, g) => {
    const making: Making = {
      g,
      step(op, inputs, attributes) {
        const value = layer(`n${values.length}`, op, inputs, attributes);
        values.push(value);
        return value;
      },
      learned: (...shape) =>
        g.constant(
          float32(
            shape,
            Array.from({ length: sizeOf(shape) }, () => 0.9 * Math.sin(1.7 * serial++ + 0.3)),
          ),
        ),
    };
    const earlier: Value[] = [];
    return steps.reduce((x, step) => {
      const y = step(making, x, earlier);
      earlier.push(y);
      return y;
    }, image);
  });
  return { bytes, values: values.slice(0, -1) };
}

/** Makes tokens [N, 9, 4] from patches, or [N, 4, 9]. */
const patches: fc.Arbitrary<Step> = fc.boolean().map((turned) => (m, image) => {
  const conv = m.step('Conv', [image, m.learned(4, 2, 2, 2)], { strides: [2, 2] });
  const flat = shaped(m, conv, 0, 4, 9);
  return turned ? flat : m.step('Transpose', [flat], { perm: [0, 2, 1] });
});
const maps: fc.Arbitrary<Step> = fc.boolean().map((relu) => ({ step, learned }, image) => {
  const conv = step('Conv', [image, learned(3, 2, 3, 3), learned(3)], { pads: [1, 1, 1, 1] });
  return step(relu ? 'Relu' : 'Tanh', [conv]);
});

export const tokenNetworks: fc.Arbitrary<Made> = fc
  .tuple(
    patches,
    fc.array(block, { maxLength: 7 }),
    readings,
    fc.array(
      fc.constantFrom<Step>(({ step }, x) => step('Tanh', [x])),
      { maxLength: 1 },
    ),
    head,
  )
  .map(([patches, blocks, readings, after, head]) => made([patches, ...blocks, readings, ...after, head]));

export const mapNetworks: fc.Arbitrary<Made> = fc.tuple(maps, convolved).map(made);
