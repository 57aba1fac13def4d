import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../autodiff/differentiate.ts';
import { gradientRules } from '../../autodiff/gradient.ts';
import { readClassifier } from '../../model/classifier.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { onesLike } from '../../onnx/emit.ts';
import { writeModel } from '../../onnx/write.ts';
import { newGraph } from '../../operators/new-graph.ts';
import { built } from '../../programs/built.ts';
import { forwardModel } from '../../programs/forward.ts';
import { float32 } from '../../tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { cpu } from '../../testing/ort.ts';
import { nearMisses, type Spelling, spellings } from '../../testing/spellings.ts';
import { recogniseFunctions } from './recognise.ts';

// Graphs of functions, near misses and sums, that take any value that is there, the inside of a function too.

const shape = [8, 4, 4] as const;
const all = [spellings, nearMisses].flatMap((table) =>
  Object.values(table).flatMap((ways) => Object.values(ways)),
);

interface Step {
  readonly spelling: number;
  /** Of the values that are there, counted from the last. */
  readonly of: number;
  readonly also: number;
  readonly joined: boolean;
}

const steps = fc.array(
  fc.record({ spelling: fc.nat(all.length - 1), of: fc.nat(6), also: fc.nat(40), joined: fc.boolean() }),
  { minLength: 1, maxLength: 4 },
);

/** The scores of a random graph over `image`. */
function grown(g: GraphBuilder, made: readonly Step[]): Value {
  const image = g.input('image', 'float32', [-1, ...shape]);
  let last = g.emit('Tanh', [image]);
  const places = () => g.nodes.flatMap(({ outputs }) => outputs).filter((v) => isMap(g, v));
  for (const { spelling, of, also, joined } of made) {
    const from = places();
    const spelled: Spelling = all[spelling]!;
    const y = spelled(g, from.at(-1 - (of % from.length))!);
    last = g.emit('Tanh', [g.emit('Add', [y, g.scalar(0.0371)])]); // off the kinks, where a function and its spelling may differ
    const beside = places();
    if (joined) last = g.emit('Add', [last, beside[also % beside.length]!]);
  }
  // Places that count alike would leave of a normalisation's or a softmax's gradient little but its rounding.
  return g.emit('Flatten', [g.emit('GlobalAveragePool', [g.emit('Mul', [last, g.floats(shape, unlike)])])]);
}

const unlike = Float32Array.from({ length: 128 }, (_, i) => 1 + Math.sin(2.3 * i));

const isMap = (g: GraphBuilder, v: Value): boolean =>
  g.knows(v) && g.dtype(v) === 'float32' && g.shape(v).join() === [-1, ...shape].join();

const image = float32(
  [2, ...shape],
  Float32Array.from({ length: 256 }, (_, i) => 2 * Math.sin(1.7 * i + 0.3)),
);

async function run(bytes: Uint8Array, graphOptimizationLevel: 'disabled' | 'all'): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel, logSeverityLevel: 3 });
  const results = await session.run({ image: new ort.Tensor('float32', image.data, [...image.shape]) });
  await session.release();
  return Object.values(results)[0]!.data as Float32Array;
}

describe('random graphs of functions that are spelled out', () => {
  it('score what their files score, to the bit, optimised or not', async () => {
    let recognised = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (made) => {
        const g = newGraph(17);
        const scores = grown(g, made);
        const file = writeModel(g.graph('random', [scores]), [
          { name: scores, dtype: 'float32', shape: ['batch', shape[0]] },
        ]);
        const classifier = readClassifier(file, { inputShape: shape });
        const network = classifier.inline((b) => b.input('image', 'float32', [-1, ...shape]));
        recognised += network.g.nodes.filter(({ spelling }) => spelling).length;
        const forward = forwardModel(classifier);
        for (const level of ['disabled', 'all'] as const)
          expect(await run(forward, level)).toEqual(await run(file, level));
      }),
      { numRuns: 40, seed: 14 },
    );
    expect(recognised).toBeGreaterThan(40);
  });

  it('have the gradient of their operators in turn', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (made) => {
        const gradients = await Promise.all(
          [true, false].map(async (whole) => {
            const g = newGraph(17);
            const scores = grown(g, made);
            if (whole) recogniseFunctions(g, [scores], 2 ** -21);
            const [dx] = differentiate(g, new Map([[scores, onesLike(g, scores)]]), ['image'], gradientRules);
            const session = await cpu.load(built(g, { dx: dx! }).bytes);
            const found = await session.run({ image });
            await session.close();
            return found.dx!;
          }),
        );
        const [found, expected] = gradients as [(typeof gradients)[0], (typeof gradients)[0]];
        if ((expected.data as Float32Array).every(Number.isFinite)) expectClose(found, expected);
      }),
      { numRuns: 40, seed: 14 },
    );
  });
});
