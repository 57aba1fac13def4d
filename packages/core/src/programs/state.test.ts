import { expect, it } from 'vitest';
import { createExplainer, type ExplainerSpec, type LoopState } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { row } from '../tensor.ts';
import { tinyImages, tinyNetwork } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

const image = row(tinyImages(), 0);

/** A runtime that counts the runs of graphs. */
function counting() {
  const counted = { runs: 0 };
  const runtime: Runtime = {
    ...cpu,
    async load(model) {
      const session = await cpu.load(model);
      return {
        ...session,
        run(feeds) {
          counted.runs++;
          return session.run(feeds);
        },
      };
    },
  };
  return { counted, runtime };
}

it.each<ExplainerSpec>([
  { method: 'integrated-gradients', parameters: { n_steps: 12 } },
  { method: 'layer-integrated-gradients', parameters: { n_steps: 12 } },
  { method: 'smooth-grad', parameters: { nt_samples: 6, base: 'integrated-gradients', n_steps: 4 } },
  { method: 'score-cam' },
])('$method goes on where another run has stopped', async (spec) => {
  const { counted, runtime } = counting();
  const explainer = await createExplainer(readClassifier(tinyNetwork()), { ...spec, memory: 1 }, runtime);
  const whole = await explainer.attribute(image, [1]);
  const inOne = counted.runs;
  const states: LoopState[] = [];
  await explainer.attribute(image, [1], { onState: (state) => states.push(state) });
  const state = states[Math.floor(states.length / 2)]!;
  counted.runs = 0;
  const resumed = await explainer.attribute(image, [1], { state });
  await explainer.close();
  expect(states.length).toBeGreaterThan(3);
  expect([...resumed.attribution.data]).toEqual([...whole.attribution.data]);
  expect(resumed.convergenceDelta).toEqual(whole.convergenceDelta);
  expect(counted.runs).toBeLessThan(inOne);
});
