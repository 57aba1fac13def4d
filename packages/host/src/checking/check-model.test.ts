import { float32, InputError, inspect, OutOfMemoryError, type Runtime, type Session } from '@whylight/core';
import { methods } from '@whylight/core/methods';
import { networkOf } from '@whylight/core/testing';
import { describe, expect, test } from 'vitest';
import { heldModel } from '../models/registered-model.ts';
import { createRuntime, DeviceError } from '../runtime/runtime.ts';
import { colourNetwork } from '../testing/network.ts';
import { type CheckOptions, checkModel } from './check-model.ts';

const cpu = await createRuntime({ ep: 'cpu' });
const model = await heldModel('colours', colourNetwork() as Uint8Array<ArrayBuffer>, {});

/** Checks a model on a runtime that does to each method what `meddle` says; says how often each method ran a graph. */
async function checked(
  meddle: (id: string, session: Session) => Session = (_, session) => session,
  { budget = 600, ...options }: Partial<CheckOptions> = {},
  asked = model,
) {
  let current = '';
  const runs = new Map<string, number>();
  const count = () => void runs.set(current, (runs.get(current) ?? 0) + 1);
  const runtime: Runtime = {
    ...cpu,
    async load(graph) {
      const session = await cpu.load(graph);
      const run: Session['run'] = (feeds) => {
        count();
        return session.run(feeds);
      };
      return current === '' ? session : meddle(current, { ...session, run });
    },
  };
  const onMethod = (id: string) => {
    current = id;
  };
  const found = await checkModel(asked, runtime, { onMethod, budget, ...options });
  const verdict = (id: string) => found.report.methods.find((method) => method.id === id)!;
  return { ...found, runs, verdict };
}

const failing = (victim: string, error: Error) => (id: string, session: Session) =>
  id === victim ? { ...session, run: () => Promise.reject(error) } : session;

describe('M6: of what check lists', () => {
  test('each method that works has run, and all others say why they do not', async () => {
    const { report, runs, deterministic } = await checked();
    expect(report.methods.map(({ id }) => id)).toEqual(methods.map(({ id }) => id));
    for (const { id, works, reason } of report.methods) {
      expect([id, (runs.get(id) ?? 0) > 0]).toEqual([id, works === true]);
      if (!works) expect(reason).toMatch(/\w/);
    }
    expect(report.methods.filter(({ works }) => works).length).toBeGreaterThan(45);
    expect([report.photos, report.budget, deterministic]).toEqual([true, 600, true]);
  });

  test('a method that ONNX Runtime refuses, or that gives NaN or another shape, does not work', async () => {
    const refused = await checked(failing('saliency', new InputError('invalid_model', 'refused: no kernel')));
    expect(refused.verdict('saliency')).toMatchObject({ works: false, reason: 'refused: no kernel' });
    expect(refused.verdict('grad-cam').works).toBe(true);
    const giving = (attribution: (shape: readonly number[]) => ReturnType<typeof float32>) =>
      checked((id, session) => ({
        ...session,
        async run(feeds) {
          const outputs = await session.run(feeds);
          return id === 'saliency' && outputs.attribution
            ? { ...outputs, attribution: attribution(outputs.attribution.shape) }
            : outputs;
        },
      }));
    const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b);
    const nan = await giving((shape) => float32(shape, new Float32Array(size(shape)).fill(Number.NaN)));
    expect(nan.verdict('saliency')).toMatchObject({
      works: false,
      reason: expect.stringMatching(/saliency gives NaN/),
    });
    const flat = await giving(() => float32([1, 3], [1, 2, 3]));
    expect(flat.verdict('saliency')).toMatchObject({
      works: false,
      reason: expect.stringMatching(/expected an attribution of shape \[1, 3, 16, 16\], got \[1, 3\]/),
    });
  });

  test('an error that nobody foresaw is said to be ours, without paths', async () => {
    const { verdict } = await checked(
      failing('rise', new TypeError('no such thing in /opt/whylight/core/rise.ts')),
    );
    expect(verdict('rise')).toMatchObject({
      works: false,
      reason: 'an error in Whylight: TypeError: no such thing in',
    });
  });

  test('what the memory does not suffice for is not run', async () => {
    const { verdict } = await checked(failing('occlusion', new OutOfMemoryError('no room for 3 GB')));
    expect(verdict('occlusion')).toMatchObject({
      works: null,
      reason: 'not run, because memory did not suffice: no room for 3 GB',
    });
  });

  test('what the time does not suffice for is not run, and the budget is stated', async () => {
    const none = await checked(undefined, { budget: 0 });
    const promised = inspect(await model.bytes()).methods;
    expect(none.report.methods.map(({ works }) => works)).toEqual(
      promised.map(({ works }) => (works ? null : false)),
    );
    expect(none.verdict('saliency').reason).toBe('not run within the budget of 0 s');
    expect([...none.runs.keys()]).toEqual([]);
    // A method that has begun is run to its end; what comes after it is not begun.
    const slow = await checked(
      (_, session) => ({
        ...session,
        async run(feeds) {
          await new Promise((resolve) => setTimeout(resolve, 1100));
          return session.run(feeds);
        },
      }),
      { budget: 1 },
    );
    expect(slow.report.methods.filter(({ works }) => works).length).toBeLessThan(2);
    expect(slow.verdict('integrated-gradients').works).toBeNull();
  });

  test('a device that is lost ends the check', async () => {
    await expect(checked(failing('saliency', new DeviceError('gone')))).rejects.toThrow('gone');
  });

  test('and who calls it off is obeyed', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const asked = checked(undefined, {
      signal: controller.signal,
      onVerdict: ({ id }) => {
        seen.push(id);
        controller.abort(new Error('enough'));
      },
    });
    await expect(asked).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
  });
});

describe('a model that takes no photos', () => {
  test('is tried on a tensor, and the report says what photos become', async () => {
    const bands = networkOf([12, 8, 8], (layer, image) =>
      layer('scores', 'Flatten', [layer('pooled', 'GlobalAveragePool', [layer('map', 'Tanh', [image])])]),
    );
    const held = await heldModel('bands', bands as Uint8Array<ArrayBuffer>, {});
    const { report, verdict } = await checked(undefined, {}, held);
    expect(report.photos).toMatch(/^the network takes images with 12 bands, .*: give the network a tensor/);
    expect(verdict('saliency').works).toBe(true);
  });

  test('a network with a batch baked in is run at that', async () => {
    const four = networkOf(
      [3, 8, 8],
      (layer, image) =>
        layer('scores', 'Flatten', [layer('pooled', 'GlobalAveragePool', [layer('map', 'Tanh', [image])])]),
      4,
    );
    const held = await heldModel('four', four as Uint8Array<ArrayBuffer>, {});
    const { verdict } = await checked(undefined, {}, held);
    expect(verdict('saliency').works).toBe(true);
  });
});
