import { expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';
import vectors from './xplique-vectors.json' with { type: 'json' };

// What Xplique gives in float32 with its own masks, which are replayed: recorded by test/parity/xplique/record.py.

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
const apart = (found: Float32Array, expected: readonly number[]): number =>
  largest(expected.map((v, i) => v - found[i]!)) / largest(expected);

it.each(vectors.calls.map((call) => [call.method, call.parameters.grid_size, call] as const))(
  '%s of %i cells across is that of Xplique',
  async (method, size, { parameters, masks, data }) => {
    const aux = { masks: float32([masks.length / size ** 2, size, size], masks) };
    const found = await explain(tinyNetwork(), { method, parameters }, tinyImages(), vectors.classes, {
      aux,
    });
    expect(apart(found.logits.data, vectors.scores)).toBeLessThan(1e-6);
    expect(found.attribution.data).toHaveLength(data.length);
    expect(apart(found.attribution.data, data)).toBeLessThan(5e-6);
  },
);

it.each([
  ['hsic', [4, 3, 4]],
  ['hsic', [1, 3, 3]],
  ['sobol', [12, 3, 3]],
])('%s refuses masks of %j', async (method, shape) => {
  const masks = float32(shape, new Float32Array(shape.reduce((a, b) => a * b)));
  const spec = { method, parameters: { grid_size: 3 } };
  await expect(explain(tinyNetwork(), spec, tinyImages(), [0, 1], { aux: { masks } })).rejects.toThrow(
    /aux "masks": expected/,
  );
});
