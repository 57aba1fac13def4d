import { describe, expect, it } from 'vitest';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { newGraph } from '../operators/new-graph.ts';
import { built } from '../programs/built.ts';
import { float32 } from '../tensor.ts';
import { values } from '../testing/cases.ts';
import { expectClose } from '../testing/close.ts';
import { cpu } from '../testing/ort.ts';
import { composites } from './composites.ts';
import { differentiate } from './differentiate.ts';
import { gradientRules } from './gradient.ts';

/** What a test does with the input. */
type Spelling = (g: GraphBuilder, x: Value) => Value;

const relu = (g: GraphBuilder, x: Value) => g.emit('Relu', [x]);
const pool = (g: GraphBuilder, x: Value) =>
  g.emit('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });

const spellings: Record<string, Spelling> = {
  'MaxPool of ReLU': (g, x) => pool(g, relu(g, x)),
  'Concat of ReLUs': (g, x) => g.emit('Concat', [relu(g, x), relu(g, g.emit('Neg', [x]))], { axis: 1 }),
  'Concat of ReLUs, one of them of a constant, along the last axis': (g, x) => {
    const fixed = relu(
      g,
      g.floats(
        [1, 2, 7, 3],
        Float32Array.from({ length: 42 }, (_, i) => (i % 5) - 2),
      ),
    );
    const rows = g.emit('Expand', [
      fixed,
      g.emit('Shape', [g.emit('Slice', [x, g.ints([0]), g.ints([3]), g.ints([3])])]),
    ]);
    return g.emit('Concat', [relu(g, rows), relu(g, x)], { axis: -1 });
  },
};

function differentiated(spelling: Spelling, whole: boolean, also: readonly Value[] = []) {
  const g = newGraph(17);
  const x = g.input('x', 'float32', [-1, 2, 7, 7]);
  const y = spelling(g, x);
  const seed = g.input('seed', 'float32', g.shape(y));
  const wanted = [x, ...also];
  const gradients = differentiate(g, new Map([[y, seed]]), wanted, gradientRules, whole ? composites : {});
  return { g, y, gradients: gradients.map((d) => d!) };
}

async function gradientOf(spelling: Spelling, whole: boolean, x: Float32Array<ArrayBuffer>) {
  const { g, y, gradients } = differentiated(spelling, whole);
  const session = await cpu.load(built(g, { dx: gradients[0]! }).bytes);
  const seed = values(
    'float32',
    g.shape(y).map((d) => (d < 0 ? 2 : d)),
    0.5,
    1.5,
    3,
  );
  const { dx } = await session.run({ x: float32([2, 2, 7, 7], x), seed });
  await session.close();
  return dx!;
}

/** Operators of the backward pass, in order. */
const operators = (spelling: Spelling, whole: boolean, also: readonly Value[] = []) =>
  differentiated(spelling, whole, also)
    .g.nodes.filter(({ name }) => name.includes('/grad'))
    .map(({ op }) => op);

describe('functions of several operators', () => {
  const x = values('float32', [2, 2, 7, 7], -3, 3, 5).data as Float32Array<ArrayBuffer>;

  it.each(Object.entries(spellings))(
    '%s: the derivative is that of its operators in turn',
    async (_, spelling) => {
      expect(operators(spelling, true)).not.toEqual(operators(spelling, false));
      expectClose(await gradientOf(spelling, true, x), await gradientOf(spelling, false, x));
    },
  );

  it('MaxPool of ReLU goes to the first of equal maxima, and nowhere where all are closed', async () => {
    const tied = x.map((v) => Math.max(-1, Math.round(v)));
    const spelling = spellings['MaxPool of ReLU']!;
    expect(await gradientOf(spelling, true, tied)).toEqual(await gradientOf(spelling, false, tied));
  });

  it('stay in pieces where a piece is looked at, or used by another', () => {
    const pooled: Spelling = (g, x) => {
      g.add({ op: 'Relu', name: 'r', inputs: [x], outputs: ['r'], attributes: {} });
      return pool(g, 'r');
    };
    expect(operators(pooled, true)).not.toEqual(operators(pooled, false));
    expect(operators(pooled, true, ['r'])).toEqual(operators(pooled, false, ['r']));
    const shared: Spelling = (g, x) => {
      const rectified = relu(g, x);
      const pooled = pool(g, rectified);
      return g.emit('Add', [pooled, pool(g, g.emit('Neg', [rectified]))]);
    };
    expect(operators(shared, true)).toEqual(operators(shared, false));
  });

  it('are nothing else: a pool of another value, values that are not all rectified', () => {
    const other: Spelling = (g, x) => pool(g, g.emit('Abs', [x]));
    const half: Spelling = (g, x) => g.emit('Concat', [relu(g, x), x], { axis: 1 });
    for (const spelling of [other, half])
      expect(operators(spelling, true)).toEqual(operators(spelling, false));
  });
});
