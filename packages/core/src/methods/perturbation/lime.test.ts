import { expect, it } from 'vitest';
import { int64 } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { wave, waveNetwork } from '../../testing/wave-network.ts';

/** Ten sets of four features. */
const samples = int64(
  [10, 4],
  Array.from({ length: 40 }, (_, k) => Number(((k >> 2) * 7 + (k & 3) * 3) % 5 < 3)),
);

// Where scikit-learn's lasso ends with tol=1e-12; with its default it stops 4e-4 of the largest away.
it.each([
  [0.3, [-2.6526782512664795, -3.005162477493286, -1.1273137331008911, 0.8288980722427368]],
  [1000, [-2.6560916900634766, -3.0385122299194336, -1.1790287494659424, 0.8177486062049866]],
])(
  'weighs sets by how far they are from the image, as Captum 0.8: width %f',
  async (kernel_width, expected) => {
    const feature_mask = int64([1, 1, 2, 4], [0, 0, 1, 1, 2, 2, 3, 3]);
    const spec = { method: 'lime', convention: 'captum', parameters: { kernel_width } } as const;
    const aux = { feature_mask, samples };
    const { attribution } = await explain(waveNetwork, spec, wave([1, 1, 2, 4], 2), [1], { aux });
    expect(attribution.shape).toEqual([1, 1, 2, 4]);
    const pairs = expected.flatMap((v) => [v, v]);
    for (const [i, v] of pairs.entries())
      expect(Math.abs(attribution.data[i]! - v), `${i}`).toBeLessThan(3e-4);
  },
);
