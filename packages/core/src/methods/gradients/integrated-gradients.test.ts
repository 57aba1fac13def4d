import { describe, expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { twoUnits, twoUnitsAnew } from '../../testing/captum-networks.ts';
import { explain } from '../../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../../testing/network.ts';

const point = float32([1, 2, 1, 1], [3, 1]);

describe('Integrated gradients', () => {
  it.each([
    ['one network', twoUnits],
    ['another of the same function', twoUnitsAnew],
  ])('of %s are the same: implementation invariance', async (_, network) => {
    const { attribution } = await explain(network, { method: 'integrated-gradients' }, point, [0]);
    expect(attribution.data[0]).toBeCloseTo(1.5, 6);
    expect(attribution.data[1]).toBeCloseTo(-0.5, 6);
    const slopes = await explain(
      network,
      { method: 'integrated-gradients', parameters: { multiply_by_inputs: false } },
      point,
      [0],
    );
    expect(slopes.attribution.data[0]).toBeCloseTo(0.5, 6);
    expect(slopes.attribution.data[1]).toBeCloseTo(-0.5, 6);
  });

  it.each(['zero', 0.1, 'black', 'blur'])(
    'K1, K2: add up to what the score gains over baseline %s, the better the more steps',
    async (baseline) => {
      const normalisation = { mean: [0.4, 0.5], std: [0.2, 0.25] };
      const delta = async (n_steps: number) => {
        const spec = {
          method: 'integrated-gradients',
          parameters: { baseline, n_steps, quadrature: 'riemann_middle' },
          normalisation,
        };
        return (await explain(tinyNetwork(), spec, tinyImages(), [0, 2])).convergenceDelta!;
      };
      const [few, many] = [await delta(4), await delta(1000)];
      for (const n of [0, 1]) {
        expect(Math.abs(many[n]!)).toBeLessThan(2e-4);
        expect(Math.abs(many[n]!)).toBeLessThan(Math.abs(few[n]!) + 1e-6);
      }
    },
  );

  it('are refused a black baseline of a model whose mean and std nobody gave', async () => {
    await expect(
      explain(twoUnits, { method: 'integrated-gradients', parameters: { baseline: 'black' } }, point, [0]),
    ).rejects.toThrow(/mean and std/);
  });

  it('are refused mean and std of another number of channels', async () => {
    const spec = {
      method: 'integrated-gradients',
      parameters: { baseline: 'black' },
      normalisation: { mean: [0, 0, 0], std: [1, 1, 1] },
    };
    await expect(explain(twoUnits, spec, point, [0])).rejects.toThrow(/3 values.*2 channels/);
  });
});

describe('Layer integrated gradients', () => {
  const deltaUnder = async (convention: 'captum' | 'paper') =>
    (
      await explain(
        tinyNetwork(),
        { method: 'layer-integrated-gradients', convention, layers: ['r2'] },
        tinyImages(),
        [0, 2],
      )
    ).convergenceDelta;

  it('add up, as they are and before they become a map', async () => {
    for (const convention of ['captum', 'paper'] as const)
      for (const delta of (await deltaUnder(convention))!) expect(Math.abs(delta)).toBeLessThan(1e-4);
  });
});
