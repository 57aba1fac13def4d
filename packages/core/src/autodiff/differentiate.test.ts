import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import type { Value } from '../onnx/builder.ts';
import { listing } from '../onnx/listing.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { newGraph } from '../operators/new-graph.ts';
import { float32 } from '../tensor.ts';
import { differentiate } from './differentiate.ts';
import { gradientRules } from './gradient.ts';

/** Conv, ReLU `a`, two branches that join (one used twice), pooling, a linear layer; and a branch that ends blind. */
function smallNet() {
  const g = newGraph(17);
  const node = (name: string, op: OperatorName, inputs: Value[], attributes = {}): Value => {
    g.add({ op, name, inputs, outputs: [name], attributes });
    return name;
  };
  const weight = (name: string, ...shape: number[]) =>
    g.constant(float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5)), name);
  g.input('image', 'float32', [-1, 3, 8, 8]);
  node('c', 'Conv', ['image', weight('w1', 4, 3, 3, 3)], { pads: [1, 1, 1, 1] });
  node('a', 'Relu', ['c']);
  node('left', 'Conv', ['a', weight('w2', 4, 4, 1, 1)]);
  node('right', 'MaxPool', ['a'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  node('blind', 'Sigmoid', ['right']);
  node('joined', 'Sum', ['left', 'right', 'a']);
  node('pooled', 'GlobalAveragePool', ['joined']);
  node('flat', 'Flatten', ['pooled']);
  node('logits', 'Gemm', ['flat', weight('w3', 10, 4)], { transB: 1 });
  return { g, node, seed: g.input('seed', 'float32', [-1, 10]) };
}

function gradientListing(wanted: readonly Value[]): string {
  const { g, seed } = smallNet();
  const gradients = differentiate(g, new Map([['logits', seed]]), wanted, gradientRules);
  return listing(
    g.graph(
      'test',
      gradients.map((d) => d!),
    ),
  );
}

describe('the rewritten graph of a small network', () => {
  it('down to a layer it leaves everything before the layer alone', () => {
    expect(gradientListing(['joined'])).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 8, 8], seed: float32 [batch, 10])
      logits/grad/Gemm_0 = Gemm(seed, w3)
      flat/grad/Reshape_2 = Reshape(logits/grad/Gemm_0, [0 4 1 1])
      pooled/grad/Mul_4 = Mul(flat/grad/Reshape_2, pooled/grad/const_3)
      return pooled/grad/Mul_4"
    `);
  });

  it('down to the image it has no blind branch, and adds what comes together once', () => {
    expect(gradientListing(['image'])).toMatchInlineSnapshot(`
      "(image: float32 [batch, 3, 8, 8], seed: float32 [batch, 10])
      c = Conv(image, w1, pads=[1 1 1 1])
      a = Relu(c)
      right, right/output_1 = MaxPool(a, kernel_shape=[3 3], pads=[1 1 1 1])
      logits/grad/Gemm_0 = Gemm(seed, w3)
      flat/grad/Reshape_2 = Reshape(logits/grad/Gemm_0, [0 4 1 1])
      pooled/grad/Mul_4 = Mul(flat/grad/Reshape_2, pooled/grad/const_3)
      right/grad/Reshape_6 = Reshape(a, [-1])
      right/grad/Shape_7 = Shape(right/grad/Reshape_6)
      right/grad/ConstantOfShape_8 = ConstantOfShape(right/grad/Shape_7, value=float32[1])
      right/grad/Reshape_9 = Reshape(right/output_1, [-1])
      right/grad/Reshape_10 = Reshape(pooled/grad/Mul_4, [-1])
      right/grad/ScatterElements_11 = ScatterElements(right/grad/ConstantOfShape_8, right/grad/Reshape_9, right/grad/Reshape_10, axis=0, reduction=add)
      right/grad/Reshape_13 = Reshape(right/grad/ScatterElements_11, [-1 4 8 8])
      left/grad/Transpose_14 = Transpose(w2, perm=[1 0 2 3])
      left/grad/Conv_15 = Conv(pooled/grad/Mul_4, left/grad/Transpose_14, dilations=[1 1], group=1, kernel_shape=[1 1], pads=[0 0 0 0], strides=[1 1])
      Sum_16 = Sum(pooled/grad/Mul_4, right/grad/Reshape_13, left/grad/Conv_15)
      a/grad/Greater_18 = Greater(a, 0)
      a/grad/Cast_19 = Cast(a/grad/Greater_18, to=1)
      a/grad/Mul_20 = Mul(Sum_16, a/grad/Cast_19)
      c/grad/Slice_24 = Slice(w1, [-1 -1], [-2147483648 -2147483648], [2 3], [-1 -1])
      c/grad/Transpose_25 = Transpose(c/grad/Slice_24, perm=[1 0 2 3])
      c/grad/Conv_26 = Conv(a/grad/Mul_20, c/grad/Transpose_25, dilations=[1 1], group=1, kernel_shape=[3 3], pads=[1 1 1 1], strides=[1 1])
      return c/grad/Conv_26"
    `);
  });

  it('for a layer and the image together it shares their work', () => {
    const both = gradientListing(['a', 'image']).split('\n').length;
    expect(both).toBe(gradientListing(['image']).split('\n').length);
  });
});

describe('differentiate', () => {
  it('gives null where nothing depends on what is asked for', () => {
    const { g, seed } = smallNet();
    expect(differentiate(g, new Map([['logits', seed]]), ['blind'], gradientRules)).toEqual([null]);
  });

  it('names every operator on the way that has no rule, and none beside it', () => {
    const { g, node } = smallNet();
    node('sorted', 'TopK', ['blind', g.ints([1])]);
    node('sum', 'CumSum', ['c', g.ints([1])]);
    node('odd\n', 'Hardmax', ['sum']);
    node('end', 'Add', ['sum', 'odd\n']);
    const attempt = () =>
      differentiate(g, new Map([['end', 'end']]), ['image'], { ...gradientRules, CumSum: [] });
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(
      'no derivative rule for CumSum (input 0): node "sum"; Hardmax: node "odd\\u000a" (occlusion needs none)',
    );
  });

  it('refuses weights that depend on the image rather than take them for constants', () => {
    const g = newGraph(17);
    g.input('image', 'float32', [1, 2, 4, 4]);
    const kernel = g.emit('Slice', ['image', g.ints([0]), g.ints([2]), g.ints([2])]);
    const y = g.emit('Conv', ['image', kernel]);
    expect(() => differentiate(g, new Map([[y, y]]), ['image'], gradientRules)).toThrow('Conv (input 1)');
  });

  it('passes no gradient through indices, comparisons and casts to integers', () => {
    const g = newGraph(17);
    g.input('image', 'float32', [-1, 5]);
    const best = g.emit('ArgMax', ['image'], { axis: 1 });
    const y = g.emit('Cast', [best], { to: 1 });
    const b = g.emit('Cast', [g.emit('Cast', ['image'], { to: 2 })], { to: 1 });
    const z = g.emit('Cast', [g.emit('Greater', ['image', g.scalar(0)])], { to: 1 });
    expect(
      differentiate(
        g,
        new Map([
          [y, y],
          [z, z],
          [b, b],
        ]),
        ['image'],
        gradientRules,
      ),
    ).toEqual([null]);
  });

  it('makes no tables that no network needs', () => {
    const g = newGraph(17);
    g.input('image', 'float32', [1, 2 ** 25]);
    const y = g.emit('Pad', ['image', g.ints([0, 1, 0, 1])], { mode: 'reflect' });
    expect(() => differentiate(g, new Map([[y, y]]), ['image'], gradientRules)).toThrow(
      'a table of 33554434 entries',
    );
    const wide = { kernel_shape: [2 ** 31], pads: [2 ** 30, 2 ** 30] };
    g.input('line', 'float32', [1, 1, 4]);
    expect(() => g.emit('AveragePool', ['line'], wide)).toThrow('a window of kernel [2147483648]');
  });
});
