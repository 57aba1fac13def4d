import { expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { oneUnit } from '../../testing/captum-networks.ts';
import { explain } from '../../testing/explain.ts';

it('Saliency is the gradient, and that of ReLU at zero is zero', async () => {
  const inputs = float32([6, 1, 1, 1], [1, 2, 3, 0, -1, 7]);
  const { attribution } = await explain(oneUnit, { method: 'saliency' }, inputs, Array(6).fill(0));
  expect(Array.from(attribution.data, (v) => v + 0)).toEqual([0, 0, 0, 1, 1, 0]);
});
