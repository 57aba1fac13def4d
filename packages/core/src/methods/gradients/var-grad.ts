import { noiseTunnel } from './noise-tunnel.ts';

/**
 * VarGrad: the variance of a gradient method over noisy copies of the image.
 *
 *     attribution = 1/n Σ_s a(x + η_s)² - (1/n Σ_s a(x + η_s))²,   η ~ N(0, stdevs²)        [N, C, H, W]
 *
 * @see Adebayo et al., "Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values", 2018
 * @example createExplainer(classifier, { method: 'var-grad', parameters: { nt_samples: 5, stdevs: 0.1 } }, runtime)
 */
export const varGrad = noiseTunnel(
  {
    id: 'var-grad',
    title: 'VarGrad',
    summary: 'How much a gradient method varies over noisy copies of the image.',
    paper: 'https://arxiv.org/abs/1810.03307',
  },
  (first, second, n) => second.div(n).sub(first.div(n).square()),
);
