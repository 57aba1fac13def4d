import { describe, expect, it } from 'vitest';
import { newGraph } from '../operators/new-graph.ts';
import { values } from '../testing/cases.ts';
import { expectClose } from '../testing/close.ts';
import { cpu } from '../testing/ort.ts';
import type { GraphBuilder, Shape, Value } from './builder.ts';
import { foldFactors } from './constant-factors.ts';
import { mul, transpose } from './emit.ts';
import { writeModel } from './write.ts';

type Build = (g: GraphBuilder, x: Value) => Value;

const map: Shape = [-1, 4, 5, 5];
const tokens: Shape = [-1, 3, 4];

const numbers = (g: GraphBuilder, ...shape: number[]): Value =>
  g.floats(shape, values('float32', shape, 0.5, 2, shape.length).data as Float32Array);
/** Weights of a layer as its backward pass turns them: [a, b, …] → [b, a, …]. */
const turned = (g: GraphBuilder, a: number, b: number, ...kernel: number[]): Value =>
  transpose(g, numbers(g, a, b, ...kernel), [1, 0, ...kernel.map((_, i) => i + 2)]);
const conv = (g: GraphBuilder, x: Value, w: Value, group = 1) =>
  g.emit('Conv', [x, w], { kernel_shape: g.shape(w).slice(2), pads: [1, 1, 1, 1], group });

/** Factors that go into weights. */
const folding: Record<string, [Shape, Build]> = {
  'a number behind a MatMul': [
    tokens,
    (g, x) => mul(g, g.emit('MatMul', [x, turned(g, 6, 4)]), g.scalar(0.5)),
  ],
  'a number of rank 3': [
    tokens,
    (g, x) => mul(g, g.emit('MatMul', [x, turned(g, 6, 4)]), numbers(g, 1, 1, 1)),
  ],
  'one per feature behind a MatMul': [
    tokens,
    (g, x) => mul(g, g.emit('MatMul', [x, turned(g, 6, 4)]), numbers(g, 6)),
  ],
  'one per feature, the factor first': [
    tokens,
    (g, x) => mul(g, numbers(g, 1, 1, 6), g.emit('MatMul', [x, turned(g, 6, 4)])),
  ],
  'one per feature before a MatMul': [
    tokens,
    (g, x) => g.emit('MatMul', [mul(g, x, numbers(g, 4)), turned(g, 6, 4)]),
  ],
  'one per channel before a Conv': [
    map,
    (g, x) => conv(g, mul(g, x, numbers(g, 4, 1, 1)), turned(g, 4, 6, 3, 3)),
  ],
  'one per channel behind a Conv': [
    map,
    (g, x) => mul(g, conv(g, x, turned(g, 4, 6, 3, 3)), numbers(g, 1, 6, 1, 1)),
  ],
  'before a depthwise Conv': [
    map,
    (g, x) => conv(g, mul(g, x, numbers(g, 4, 1, 1)), turned(g, 1, 4, 3, 3), 4),
  ],
  'behind a grouped Conv': [map, (g, x) => mul(g, conv(g, x, turned(g, 2, 6, 3, 3), 2), numbers(g, 6, 1, 1))],
};

/** Factors that stay where they are. */
const staying: Record<string, [Shape, Build]> = {
  'weights of the model': [tokens, (g, x) => mul(g, g.emit('MatMul', [x, numbers(g, 4, 6)]), g.scalar(0.5))],
  'before weights of the model': [
    tokens,
    (g, x) => g.emit('MatMul', [mul(g, x, g.scalar(0.5)), numbers(g, 4, 6)]),
  ],
  'a product that is used twice': [
    tokens,
    (g, x) => {
      const y = g.emit('MatMul', [x, turned(g, 4, 4)]);
      return g.emit('Add', [y, mul(g, y, g.scalar(0.5))]);
    },
  ],
  'a factor per token': [tokens, (g, x) => mul(g, g.emit('MatMul', [x, turned(g, 6, 4)]), numbers(g, 3, 1))],
  'a factor per token, as many as there are features': [
    tokens,
    (g, x) => mul(g, g.emit('MatMul', [x, turned(g, 3, 4)]), numbers(g, 3, 1)),
  ],
  'a factor per pixel': [map, (g, x) => mul(g, conv(g, x, turned(g, 4, 6, 3, 3)), numbers(g, 5, 5))],
  'a factor that spreads': [map, (g, x) => mul(g, conv(g, x, turned(g, 4, 1, 3, 3)), numbers(g, 6, 1, 1))],
  'before a grouped Conv': [map, (g, x) => conv(g, mul(g, x, numbers(g, 4, 1, 1)), turned(g, 2, 6, 3, 3), 2)],
  'a product with a bias': [
    map,
    (g, x) => {
      const w = turned(g, 4, 6, 3, 3);
      return mul(g, g.emit('Conv', [x, w, numbers(g, 6)], { kernel_shape: [3, 3] }), g.scalar(2));
    },
  ],
};

async function outcome(shape: Shape, build: Build, fold: boolean) {
  const g = newGraph(17);
  const y = build(g, g.input('x', 'float32', shape));
  if (fold) foldFactors(g, 0, [y]);
  const onActivations = g.nodes.filter(
    ({ op, inputs }) => op === 'Mul' && inputs.some((v) => g.dependsOnInputs(v)),
  );
  const session = await cpu.load(writeModel(g.graph('factors', [y]), [{ name: y, ...g.type(y)! }]));
  const size = shape.map((d) => (d < 0 ? 2 : d));
  const found = await session.run({ x: values('float32', size, -1, 1, 5) });
  await session.close();
  return { y: found[y]!, factors: onActivations.length, made: g.nodes.includes(g.maker(y)!) };
}

describe('constant factors', () => {
  it.each(Object.entries(folding))('go into turned weights: %s', async (_, [shape, build]) => {
    const [plain, folded] = [await outcome(shape, build, false), await outcome(shape, build, true)];
    expect([plain.factors, folded.factors]).toEqual([1, 0]);
    expect(folded.made).toBe(true);
    expectClose(folded.y, plain.y);
  });

  it.each(Object.entries(staying))('stay: %s', async (_, [shape, build]) => {
    const [plain, folded] = [await outcome(shape, build, false), await outcome(shape, build, true)];
    expect([plain.factors, folded.factors]).toEqual([1, 1]);
    expect(folded.y).toEqual(plain.y);
  });

  it('stays where the product itself is wanted', () => {
    const g = newGraph(17);
    const product = g.emit('MatMul', [g.input('x', 'float32', tokens), turned(g, 6, 4)]);
    const scaled = mul(g, product, g.scalar(0.5));
    foldFactors(g, 0, [product, scaled]);
    expect(g.nodes.map(({ op }) => op)).toEqual(['Transpose', 'MatMul', 'Mul']);
  });

  it('stays in the model, which comes before the backward pass', () => {
    const g = newGraph(17);
    const half = (v: Value) => mul(g, g.emit('MatMul', [v, turned(g, 4, 4)]), g.scalar(0.5));
    const forward = half(g.input('x', 'float32', tokens));
    const start = g.nodes.length;
    foldFactors(g, start, [half(forward)]);
    const operators = g.nodes.map(({ op }) => op);
    expect(operators.slice(0, start)).toEqual(['Transpose', 'MatMul', 'Mul']);
    expect(operators.slice(start)).toEqual(['Transpose', 'Mul', 'MatMul']);
  });
});
