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

const specs: readonly ExplainerSpec[] = [
  { method: 'integrated-gradients', parameters: { n_steps: 12 } },
  { method: 'layer-integrated-gradients', parameters: { n_steps: 12 } },
  { method: 'smooth-grad', parameters: { nt_samples: 6, base: 'integrated-gradients', n_steps: 4 } },
  { method: 'score-cam' },
];

it.each(specs)('$method goes on where another run has stopped', async (spec) => {
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

it.each(specs)(
  '$method stopped after every chunk, by turns in two runs, ends with the same numbers',
  async (spec) => {
    const model = readClassifier(tinyNetwork());
    const [a, b] = [
      await createExplainer(model, { ...spec, memory: 1 }, cpu),
      await createExplainer(model, { ...spec, memory: 1 }, cpu),
    ];
    const whole = await a.attribute(image, [1]);
    let state: LoopState | undefined;
    const told: number[] = [];
    const later: boolean[] = [];
    for (let turn = 0; ; turn++) {
      const stop = new AbortController();
      const options = {
        ...{ signal: stop.signal, state },
        onProgress: (completed: number) => told.push(completed),
        onState(next: LoopState) {
          // Every run starts at the state that it was given, and stops after one chunk.
          later.push(state === undefined || next.loop > state.loop || next.done > state.done);
          state = next;
          stop.abort();
        },
      };
      const outcome = await (turn % 2 ? a : b).attribute(image, [1], options).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
        return null;
      });
      if (!outcome) continue;
      expect([...outcome.attribution.data]).toEqual([...whole.attribution.data]);
      expect(outcome.convergenceDelta).toEqual(whole.convergenceDelta);
      expect(turn).toBeGreaterThan(2);
      break;
    }
    expect(new Set(later)).toEqual(new Set([true]));
    expect(told).toEqual(told.toSorted((x, y) => x - y));
    await Promise.all([a.close(), b.close()]);
  },
);

it('L5: starts from the beginning where the state is of other chunks or of another program', async () => {
  const spec = { method: 'integrated-gradients', parameters: { n_steps: 12 } };
  const model = readClassifier(tinyNetwork());
  const one = await createExplainer(model, { ...spec, memory: 1 }, cpu);
  const many = await createExplainer(model, spec, cpu);
  const other = await createExplainer(model, { method: 'score-cam' }, cpu);
  const states: LoopState[] = [];
  await one.attribute(image, [1], { onState: (state) => states.push(state) });
  const state = states[5]!;
  for (const explainer of [many, other]) {
    const whole = await explainer.attribute(image, [1]);
    const told: number[] = [];
    const onProgress = (completed: number) => told.push(completed);
    const again = await explainer.attribute(image, [1], { state, onProgress });
    expect([...again.attribution.data]).toEqual([...whole.attribution.data]);
    expect(told).not.toContain(state.completed);
  }
  await Promise.all([one, many, other].map((explainer) => explainer.close()));
});
