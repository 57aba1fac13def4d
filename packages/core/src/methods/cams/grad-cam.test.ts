import { describe, expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { oneConv } from '../../testing/captum-networks.ts';
import { counting, explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';

const image = counting([1, 1, 4, 4]);
const signed = (layer: string, parameters = {}) =>
  explain(oneConv, { method: 'grad-cam', convention: 'captum', parameters, layers: [layer] }, image, [0]);

describe('Grad-CAM', () => {
  it.each([
    ['conv1', [11.25, 13.5, 20.25, 22.5]],
    ['relu1', [0, 4, 28, 32.5]],
  ])('at %s of the one-convolution network is what Captum tests for', async (layer, expected) => {
    const { attribution } = await signed(layer);
    expect(attribution.shape).toEqual([1, 1, 2, 2]);
    expect([...attribution.data]).toEqual(expected);
  });

  it('is minimum to maximum at the size of the image, unless a convention says otherwise', async () => {
    const { attribution } = await explain(oneConv, { method: 'grad-cam', layers: ['relu1'] }, image, [0]);
    expect(attribution.shape).toEqual([1, 4, 4]);
    expect(Math.min(...attribution.data)).toBe(0);
    expect(Math.max(...attribution.data)).toBeCloseTo(1, 6);
    // [0, 4; 28, 32.5] a quarter of the way down and across: half-pixel centres
    const between = 0.75 * (0.75 * 0 + 0.25 * 4) + 0.25 * (0.75 * 28 + 0.25 * 32.5);
    expect(attribution.data[5]).toBeCloseTo(between / 32.5, 6);
  });

  it('keeps its values with normalized=false', async () => {
    const spec = {
      method: 'grad-cam',
      convention: 'torchcam',
      parameters: { normalized: false },
      layers: ['relu1'],
    } as const;
    expect([...(await explain(oneConv, spec, image, [0])).attribution.data]).toEqual([0, 4, 28, 32.5]);
  });

  it('of a network without evidence is zero, and says so', async () => {
    const { attribution, warnings } = await explain(
      oneConv,
      { method: 'grad-cam', layers: ['relu1'] },
      float32([1, 1, 4, 4], Array(16).fill(0)),
      [0],
    );
    expect(attribution.data.every((v) => v === 0)).toBe(true);
    expect(warnings.map(({ code }) => code)).toContain('degenerate_attribution');
  });

  it('of several layers fuses as asked', async () => {
    const halves = networkOf([1, 2, 2], (layer, x, g) => {
      const first = layer('a', 'Conv', [x, g.floats([1, 1, 1, 1], [1])]);
      const second = layer('b', 'Mul', [first, g.floats([1, 1, 2, 2], [4, 3, 2, 1])]);
      return layer('scores', 'Flatten', [layer('pool', 'GlobalAveragePool', [second])]);
    });
    const fused = async (fuse: string) => [
      ...(
        await explain(
          halves,
          { method: 'grad-cam', convention: 'torchcam', parameters: { fuse }, layers: ['a', 'b'] },
          counting([1, 1, 2, 2]),
          [0],
        )
      ).attribution.data,
    ];
    // a is 0 1 2 3, min-maxed 0 1/3 2/3 1; b is 0 3 4 3, min-maxed 0 3/4 1 3/4
    const expected = {
      max: [0, 3 / 4, 1, 1],
      mean: [0, 13 / 24, 5 / 6, 7 / 8],
      product: [0, 1 / 4, 2 / 3, 3 / 4],
    };
    for (const [how, values] of Object.entries(expected))
      expect(await fused(how), how).toEqual(values.map((v) => expect.closeTo(v, 6)));
  });
});
