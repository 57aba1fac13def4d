import { describe, expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { row } from '../tensor.ts';
import { tinyImages, tinyNetwork } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { rowsWithin } from './rows.ts';

const megabyte = 1e6;
const graph = (weightBytes: number, bytesPerRow: number) => ({ weightBytes, bytesPerRow });
const on = (device: string, memory?: number) => ({ device, memory });

describe('rows within a budget of memory', () => {
  it('leaves room for the weights, as often as they are held, and for the gaps of the arena', () => {
    expect(rowsWithin(120 * megabyte, graph(2 * megabyte, 6 * megabyte), on('cuda'))).toBe(10);
  });

  it('takes the budget of the runtime, or else a gigabyte', () => {
    expect(rowsWithin(undefined, graph(0, 30 * megabyte), on('cuda', 480 * megabyte))).toBe(10);
    expect(rowsWithin(undefined, graph(0, 30 * megabyte), on('cuda'))).toBe(20);
  });

  it('is no more than 64, however small they are', () => {
    expect(rowsWithin(undefined, graph(0, 1), on('cuda'))).toBe(64);
  });

  it('is one row where not even that fits', () => {
    expect(rowsWithin(1, graph(megabyte, megabyte), on('cpu'))).toBe(1);
  });

  it('is no more than a CPU has caches for, or four where the budget lets them', () => {
    const fallback = on('cpu (fallback from cuda: none)');
    expect(rowsWithin(undefined, graph(0, 3 * megabyte), fallback)).toBe(8);
    expect(rowsWithin(undefined, graph(0, 10 * megabyte), fallback)).toBe(4);
    expect(rowsWithin(32 * megabyte, graph(0, 10 * megabyte), fallback)).toBe(2);
  });
});

it.each([
  ['the explainer', 1, undefined],
  ['the runtime', undefined, 1],
])('a budget for one row, given to %s, reaches the runs', async (_, memory, ofRuntime) => {
  const rows: number[] = [];
  const runtime: Runtime = {
    ...cpu,
    memory: ofRuntime,
    async load(model) {
      const session = await cpu.load(model);
      const run: typeof session.run = (feeds) => {
        if (feeds.alphas) rows.push(feeds.alphas.shape[0]!);
        return session.run(feeds);
      };
      return { ...session, run };
    },
  };
  const classifier = readClassifier(tinyNetwork());
  const spec = { method: 'integrated-gradients', parameters: { n_steps: 3 }, memory };
  const explainer = await createExplainer(classifier, spec, runtime);
  await explainer.attribute(row(tinyImages(), 0), [0]);
  await explainer.close();
  expect(rows).toEqual([1, 1, 1]);
});
