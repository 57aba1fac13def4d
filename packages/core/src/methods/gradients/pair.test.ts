import { describe, expect, it } from 'vitest';
import { compileExplainer } from '../../explainer.ts';
import { readClassifier } from '../../model/classifier.ts';
import { float32 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';
import vectors from './pair-vectors.json' with { type: 'json' };
import { segmentsOf } from './xrai-segments.ts';

// What PAIR's saliency 0.2.1 says in float64 of the tiny network: recorded by test/parity/saliency/record.py.

interface Call {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly data: readonly number[];
  /** Masks [M, 6, 6]. */
  readonly segments?: readonly number[];
}
const calls: readonly Call[] = vectors.calls;
const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

describe('PAIR’s saliency', () => {
  it.each(calls.map((call) => [`${call.method} with ${JSON.stringify(call.parameters)}`, call] as const))(
    '%s',
    async (_, { method, parameters, data, segments }) => {
      const aux = segments && { segments: float32([segments.length / 36, 6, 6], segments) };
      const spec = { method, parameters };
      const found = await explain(tinyNetwork(), spec, tinyImages(), vectors.classes, { aux });
      expect(found.attribution.data).toHaveLength(data.length);
      const apart = largest(data.map((v, i) => v - found.attribution.data[i]!)) / largest(data);
      expect(apart).toBeLessThan(1e-6);
    },
  );

  it('finds the same regions in a photo, pixel by pixel', () => {
    const { height, width, count, pixels, masks } = vectors.regions;
    const shown = Buffer.from(pixels, 'base64');
    const plane = height * width;
    const values = Float32Array.from(
      { length: 3 * plane },
      (_, i) => shown[(i % plane) * 3 + Math.floor(i / plane)]! / 255,
    );
    const setting = { height, width, layout: 'NCHW', inputShape: [3, height, width] } as never;
    const found = segmentsOf(float32([1, 3, height, width], values), setting, { least: 150, radius: 5 });
    const bits = Buffer.from(masks, 'base64');
    const expected = Array.from({ length: count * plane }, (_, i) => (bits[i >> 3]! >> (7 - (i % 8))) & 1);
    expect(found.shape).toEqual([count, height, width]);
    expect(Array.from(found.data)).toEqual(expected);
  });
});

describe('XRAI', () => {
  it('finds regions in each image where none are given', async () => {
    const parameters = { n_steps: 4, min_size: 4, dilation: 0, min_pixel_diff: 1, normalized: false };
    const { attribution } = await explain(
      tinyNetwork(),
      { method: 'xrai', parameters },
      tinyImages(),
      [1, 2],
    );
    for (const n of [0, 1])
      expect(new Set(attribution.data.slice(36 * n, 36 * n + 36)).size).toBeGreaterThan(2);
  });

  it('is compiled with a grid only', () => {
    expect(() => compileExplainer(readClassifier(tinyNetwork()), { method: 'xrai' })).toThrow(
      /compile it with segments=grid/,
    );
  });
});
