import { type Explainer, float32, InputError, type Tensor } from '@whylight/core';
import { expect, test } from 'vitest';
import { DeviceError } from '../runtime/runtime.ts';
import { Batcher, type BatchSettings } from './batcher.ts';

const empty = { code: 'degenerate_attribution', message: 'of class 9' };
const note = { code: 'noted', message: 'a note' };

/** An explainer that doubles its input, and holds every batch until it is let through. */
function held(
  settings: Partial<BatchSettings> = {},
  fault?: (batch: Tensor<'float32'>) => Error | undefined,
) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const explainer: Pick<Explainer, 'attribute' | 'notes'> = {
    notes: [note],
    async attribute(batch, targets) {
      batches.push([...(batch as Tensor<'float32'>).data].filter((_, i) => i % 2 === 0));
      await new Promise<void>((resolve) => gates.push(resolve));
      const error = fault?.(batch as Tensor<'float32'>);
      if (error) throw error;
      const data = (batch.data as Float32Array).map((v) => 2 * v);
      const classes = targets.map(Number);
      const logits = float32([targets.length, 1], Float32Array.from(classes));
      return {
        attribution: float32(batch.shape, data),
        logits,
        scores: logits,
        probabilities: null,
        targets: classes,
        convergenceDelta: null,
        pixels: null,
        scale: null,
        rowWarnings: classes.map((value) => (value === 9 ? [empty] : [])),
        warnings: [],
      };
    },
  };
  const batcher = new Batcher(explainer as Explainer, { most: 3, delay: 1, ...settings }, 'plan');
  const ask = (value: number, signal?: AbortSignal) =>
    batcher.attribute(float32([1, 2], Float32Array.of(value, -value)), value, signal);
  const letThrough = async () => {
    await expect.poll(() => gates.length).toBeGreaterThan(0);
    gates.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { ask, batches, letThrough };
}

test('what waits together is computed together, and what comes meanwhile is the next batch', async () => {
  const { ask, batches, letThrough } = held();
  const first = [ask(1), ask(2)];
  await expect.poll(() => batches.length).toBe(1);
  const second = [ask(3), ask(4), ask(5), ask(6)];
  await letThrough();
  await letThrough();
  await letThrough();
  await Promise.all([...first, ...second]);
  expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
});

test('a full batch does not wait for the delay', async () => {
  const { ask, batches } = held({ most: 2, delay: 60_000 });
  void ask(1);
  void ask(2);
  await expect.poll(() => batches).toEqual([[1, 2]]);
});

test('F11: each gets its own row, in memory of its own, whatever the order', async () => {
  const { ask, letThrough } = held();
  const asked = [ask(3), ask(1), ask(2)];
  await letThrough();
  const answers = await Promise.all(asked);
  for (const [n, value] of [3, 1, 2].entries()) {
    const { attribution, logits, targets, batchSize, warnings } = answers[n]!;
    expect([attribution.shape, [...attribution.data]]).toEqual([
      [1, 2],
      [2 * value, -2 * value],
    ]);
    expect([[...logits.data], targets, batchSize, warnings]).toEqual([[value], [value], 3, [note]]);
    expect(attribution.data.buffer.byteLength).toBe(8);
  }
});

test('M4: each is warned of its own empty map, and a full one beside it hides nothing', async () => {
  const { ask, letThrough } = held();
  const asked = [ask(9), ask(1), ask(9)];
  await letThrough();
  const warnings = (await Promise.all(asked)).map((answer) => answer.warnings);
  expect(warnings).toEqual([[note, empty], [note], [note, empty]]);
});

test('F10: one that cannot be computed fails alone, and the others are as they would be', async () => {
  const bad = (batch: Tensor<'float32'>) =>
    batch.data.includes(2) ? new InputError('non_finite_output', 'not this one') : undefined;
  const { ask, batches, letThrough } = held({}, bad);
  const asked = [ask(1), ask(2), ask(3)];
  const settled = Promise.allSettled(asked);
  for (let run = 0; run < 4; run++) await letThrough();
  const outcomes = await settled;
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await asked[2]).toMatchObject({ batchSize: 1, targets: [3] });
  expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
});

test('a device that is lost is not asked again for each', async () => {
  const { ask, batches, letThrough } = held({}, () => new DeviceError('lost'));
  const settled = Promise.allSettled([ask(1), ask(2)]);
  await letThrough();
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(batches).toEqual([[1, 2]]);
});

test('one that is no longer wanted ends at once, and the others do not notice', async () => {
  const { ask, batches, letThrough } = held({ most: 4 });
  const [before, during] = [new AbortController(), new AbortController()];
  const dropped = ask(1, before.signal);
  const stopped = ask(2, during.signal);
  const kept = ask(3);
  before.abort('unwanted');
  await expect(dropped).rejects.toBe('unwanted');
  await expect.poll(() => batches).toEqual([[2, 3]]);
  during.abort('superseded');
  await expect(stopped).rejects.toBe('superseded');
  await letThrough();
  expect((await kept).targets).toEqual([3]);
  await expect(ask(4, before.signal)).rejects.toBe('unwanted');
});
