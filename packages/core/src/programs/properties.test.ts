import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readClassifier } from '../model/classifier.ts';
import type { Value } from '../onnx/builder.ts';
import { Expression } from '../onnx/expression.ts';
import { int64, type Tensor } from '../tensor.ts';
import { tinyImages, tinyShape } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { classes, type Made, mapNetworks, tokenNetworks } from '../testing/random-networks.ts';
import { built } from './built.ts';
import { classScore } from './class-score.ts';
import { narrow } from './narrow.ts';
import { evaluated } from './subject.ts';

const feeds = (off: number) => ({
  image: { ...tinyImages(), data: tinyImages().data.map((v, i) => v * (1 + (i % 3 ? off : -off))) },
  class_index: int64([2], [3, 1]),
});

/**
 * Scores, some values, and the target's gradient in image and values: of the network as it is, or as it
 * is explained. `near`: the same for pixels whose last bits differ.
 */
async function explained({ bytes }: Made, looked: readonly Value[], shortened: boolean) {
  const classifier = readClassifier(bytes);
  const network = classifier.inline((g) => g.input('image', 'float32', [-1, ...tinyShape]));
  const { g, image, logits } = network;
  const layers = looked.map((name) => network.resolve(name));
  const plain = [...g.nodes];
  if (shortened) narrow(network, layers);
  const narrowed = g.nodes.some((node, i) => node !== plain[i]);
  const target = new Expression(g, g.input('class_index', 'int64', [-1]));
  const single = shortened && classScore(g, logits, target.name) !== undefined;
  const subject = evaluated(
    { ...network, layers, scored: logits, probabilities: null },
    {
      image: new Expression(g, image),
      chosen: target.oneHot(classes),
      target: shortened ? target : undefined,
    },
  );
  const gradients = subject.gradients([subject.image, ...subject.layers]).map(({ name }) => name);
  const wanted = { logits, ...named('value', layers), ...named('gradient', gradients) };
  const session = await cpu.load(built(g, wanted).bytes);
  const [found, near] = [await session.run(feeds(0)), await session.run(feeds(2 ** -22))];
  await session.close();
  return { found, near, narrowed, single };
}

const named = (name: string, values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(values.map((value, i) => [`${name}${i}`, value]));

/** Relative to the largest value, or to 1 where all are small. */
function distance(found: Tensor, expected: Tensor): number {
  expect(found.shape).toEqual(expected.shape);
  const [a, b] = [found.data as Float32Array, expected.data as Float32Array];
  const largest = Math.max(1, ...b.map(Math.abs));
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / largest;
}

describe('what is not computed for a class and its layers changes nothing', () => {
  it.each([
    ['transformers', tokenNetworks, 200, { narrowed: 50, single: 25 }],
    ['convolutions', mapNetworks, 60, { narrowed: 0, single: 10 }],
  ] as const)('in %s of random make', async (_, networks, numRuns, atLeast) => {
    const counts = { narrowed: 0, single: 0 };
    const cases = fc.tuple(networks, fc.array(fc.nat(), { maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(cases, async ([network, picks]) => {
        const looked = picks.map((pick) => network.values[pick % network.values.length]!);
        const plain = await explained(network, looked, false);
        const { found, narrowed, single } = await explained(network, looked, true);
        counts.narrowed += Number(narrowed);
        counts.single += Number(single);
        expect(Object.keys(found)).toEqual(Object.keys(plain.found));
        for (const [name, value] of Object.entries(plain.found))
          expect(distance(found[name]!, value), name).toBeLessThan(
            1e-5 + 5 * distance(plain.near[name]!, value),
          );
      }),
      { seed: 3, numRuns },
    );
    expect(counts.narrowed).toBeGreaterThanOrEqual(atLeast.narrowed);
    expect(counts.single).toBeGreaterThanOrEqual(atLeast.single);
  });
});
