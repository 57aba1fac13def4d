import { describe, expect, it } from 'vitest';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';
import vectors from './smoothing-vectors.json' with { type: 'json' };

// What pytorch-grad-cam 1.5.7 gives with aug_smooth, eigen_smooth and both: recorded by
// test/parity/pytorch-grad-cam/record_smoothing.py.

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
const convention = 'pytorch-grad-cam';

describe('Smoothing', () => {
  it.each(
    vectors.calls.map(
      (call) => [call.method, call.layers.join(' '), JSON.stringify(call.parameters), call] as const,
    ),
  )(
    'of %s at %s with %s is that of pytorch-grad-cam',
    async (method, _, __, { parameters, layers, data }) => {
      const spec = { method, convention, layers, parameters } as const;
      const { attribution } = await explain(tinyNetwork(), spec, tinyImages(), vectors.classes);
      const apart = largest(data.map((v, i) => v - attribution.data[i]!)) / largest(data);
      expect(apart).toBeLessThan(1e-6);
    },
  );

  it('by copies explains the class of the photo itself on all of them', async () => {
    const spec = { method: 'grad-cam', convention, parameters: { aug_smooth: true } } as const;
    const { targets } = await explain(tinyNetwork(), { method: 'saliency' }, tinyImages(), [-1, -1]);
    const [asked, named] = await Promise.all(
      [[-1, -1], targets as number[]].map((classes) => explain(tinyNetwork(), spec, tinyImages(), classes)),
    );
    expect(asked!.attribution.data).toEqual(named!.attribution.data);
  });
});
