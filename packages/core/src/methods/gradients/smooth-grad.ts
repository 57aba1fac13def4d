import { noiseTunnel } from './noise-tunnel.ts';

/**
 * SmoothGrad: a gradient method averaged over noisy copies of the image.
 *
 *     attribution = 1/n Σ_s a(x + η_s),   η ~ N(0, stdevs²)        [N, C, H, W]
 *
 * Captum's defaults are 5 copies, stdevs 1 and absolute gradients.
 *
 * @see Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017
 * @example
 * createExplainer(
 *   classifier,
 *   { method: 'smooth-grad', parameters: { base: 'input-x-gradient', nt_samples: 5 } },
 *   runtime,
 * )
 */
export const smoothGrad = noiseTunnel(
  {
    id: 'smooth-grad',
    title: 'SmoothGrad',
    summary: 'A gradient method averaged over noisy copies of the image.',
    paper: 'https://arxiv.org/abs/1706.03825',
  },
  (first, _, n) => first.div(n),
);
