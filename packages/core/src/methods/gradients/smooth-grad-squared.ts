import { noiseTunnel } from './noise-tunnel.ts';

/**
 * SmoothGrad squared: the mean square of a gradient method over noisy copies of the image.
 *
 *     attribution = 1/n Σ_s a(x + η_s)²,   η ~ N(0, stdevs²)        [N, C, H, W]
 *
 * @see Hooker et al., "A Benchmark for Interpretability Methods in Deep Neural Networks", 2019
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'smooth-grad-squared', parameters: { base: 'guided-backprop', nt_samples: 5 } },
 *   runtime,
 * )
 */
export const smoothGradSquared = noiseTunnel(
  {
    id: 'smooth-grad-squared',
    title: 'SmoothGrad squared',
    summary: 'The mean square of a gradient method over noisy copies of the image.',
    paper: 'https://arxiv.org/abs/1806.10758',
  },
  (_, second, n) => second.div(n),
);
