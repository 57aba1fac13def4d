import { expect, it } from 'vitest';
import { createExplainer } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { tinyImages, tinyNetwork } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

it('loads the graph for sums of classes when one is asked for, and again where that failed', async () => {
  let loads = 0;
  const runtime: Runtime = {
    ...cpu,
    async load(model) {
      if (++loads === 2) throw new Error('no room');
      return cpu.load(model);
    },
  };
  const explainer = await createExplainer(readClassifier(tinyNetwork()), { method: 'saliency' }, runtime);
  const sum = [{ class: 0, weight: 1 }];
  expect(loads).toBe(1);
  await expect(explainer.attribute(tinyImages(), [sum, sum])).rejects.toThrow('no room');
  await explainer.attribute(tinyImages(), [sum, sum]);
  await explainer.attribute(tinyImages(), [0, 1]);
  expect(loads).toBe(3);
  await explainer.close();
});

it('closes though the graph for sums of classes could not be loaded', async () => {
  let loads = 0;
  const load: Runtime['load'] = (model) =>
    ++loads > 1 ? Promise.reject(new Error('no room')) : cpu.load(model);
  const explainer = await createExplainer(
    readClassifier(tinyNetwork()),
    { method: 'saliency' },
    { ...cpu, load },
  );
  const asked = explainer.attribute(tinyImages(), [[{ class: 0, weight: 1 }], 1]);
  await Promise.all([expect(asked).rejects.toThrow('no room'), explainer.close()]);
});

it('stops between batches when it is told to', async () => {
  const explainer = await createExplainer(readClassifier(tinyNetwork(1)), { method: 'saliency' }, cpu);
  const controller = new AbortController();
  const done: number[] = [];
  const asked = explainer.attribute(tinyImages(), [0, 1], {
    signal: controller.signal,
    onProgress(completed) {
      done.push(completed);
      controller.abort();
    },
  });
  await expect(asked).rejects.toThrow('aborted');
  expect(done).toEqual([1]);
  await explainer.close();
});
