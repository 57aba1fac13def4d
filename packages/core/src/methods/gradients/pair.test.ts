import { describe, expect, it } from 'vitest';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';
import vectors from './pair-vectors.json' with { type: 'json' };

// What PAIR's saliency 0.2.1 says in float64 of the tiny network: recorded by test/parity/saliency/record.py.

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

describe('PAIR’s saliency', () => {
  it.each(
    vectors.calls.map((call) => [`${call.method} with ${JSON.stringify(call.parameters)}`, call] as const),
  )('%s', async (_, { method, parameters, data }) => {
    const { attribution } = await explain(
      tinyNetwork(),
      { method, parameters },
      tinyImages(),
      vectors.classes,
    );
    expect(attribution.data).toHaveLength(data.length);
    const apart = largest(data.map((v, i) => v - attribution.data[i]!)) / largest(data);
    expect(apart).toBeLessThan(1e-6);
  });
});
