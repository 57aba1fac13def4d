import { describe, expect, it } from 'vitest';
import { float32 } from '../../tensor.ts';
import { multiLayer, oneConv } from '../../testing/captum-networks.ts';
import { explain } from '../../testing/explain.ts';

const point = float32([1, 3, 1, 1], [20, 50, 30]);
const occluded = (parameters: Record<string, unknown>) =>
  explain(multiLayer, { method: 'occlusion', parameters }, point, [0]);

describe('Occlusion', () => {
  it.each([
    [{ sliding_window_shapes: '1,1,1', strides: '1,1,1' }, [80, 200, 120]],
    [{ sliding_window_shapes: '2,1,1', strides: '1,1,1', baseline: 10 }, [200, 220, 240]],
    [{ sliding_window_shapes: '2,1,1', strides: '2,1,1' }, [280, 280, 120]],
  ])('with %j is what Captum tests for', async (parameters, expected) => {
    expect([...(await occluded(parameters)).attribution.data]).toEqual(expected);
  });

  it('by a window as large as the image gives every pixel the whole drop', async () => {
    const image = float32(
      [1, 1, 4, 4],
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    const spec = { method: 'occlusion', parameters: { sliding_window_shapes: '1,4,4', strides: '1,4,4' } };
    expect([...(await explain(oneConv, spec, image, [0])).attribution.data]).toEqual(Array(16).fill(67));
  });

  it('refuses steps that leave parts of the image seen always', async () => {
    await expect(occluded({ sliding_window_shapes: '1,1,1', strides: '2,1,1' })).rejects.toThrow(
      /strides\[0\] is 2, more than the window's 1/,
    );
  });
});
