import { z } from 'zod';
import { float32 } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { coinFlips } from './coalitions.ts';
import { cellMap, medianOf, recordedMasks, scoresUnder, sensitivityParams } from './sensitivity.ts';

const parameters = z.strictObject(sensitivityParams(500, 'Random masks'));

/**
 * HSIC: how much the score depends on whether a cell of the image is seen: the Hilbert-Schmidt independence criterion.
 *
 *     map_d = 1/n Σ_ij (H K_d H)_ij (H L H)_ij,   K_d,ij = 3/2 - (m_d,i - m_d,j)²,   L_ij = exp(-(y_i - y_j)²/(2 median(y)²))
 *
 * m_d,i is 1 if mask i shows cell d, else 0; y_i is the score under mask i; H subtracts the mean. For these masks it is
 * 2/n m̃_dᵀ L m̃_d. Cells are enlarged by cubic interpolation. Recorded `masks` [S, rows, columns] replace random ones.
 *
 * @see Novello, Fel & Vigouroux, "Making Sense of Dependence: Efficient Black-box Explanations Using Dependence Measure", 2022; `HsicAttributionMethod` of Xplique
 * @example createExplainer(classifier, { method: 'hsic', parameters: { grid_size: 3, n_samples: 20 } }, runtime)
 */
export const hsic = defineMethod({
  id: 'hsic',
  title: 'HSIC',
  summary: 'How much the score depends on whether each part of the photo is seen, with few evaluations.',
  paper: 'https://arxiv.org/abs/2206.06219',
  version: '1',
  kind: 'map',
  needs: [],
  conventions: ['paper'],
  parameters,
  sampled: true,
  aux: ['masks'],
  explain(subject, setting) {
    const { grid_size, n_samples, seed } = setting.parameters;
    const drawn = () =>
      float32([n_samples, grid_size ** 2], coinFlips(seed, n_samples, grid_size ** 2).flat());
    const masks = recordedMasks(subject.aux, grid_size) ?? drawn();
    const scores = scoresUnder(subject, masks, setting);
    const count = masks.shape[0]!;
    const width = medianOf(scores).square().mul(2).atLeast(1e-30);
    const likeness = scores
      .sub(scores.reshape([count, 1]))
      .square()
      .div(width)
      .neg()
      .exp();
    const seen = subject.given(masks);
    const centred = seen.sub(seen.mean([0]));
    return cellMap(
      centred
        .mul(likeness.matmul(centred))
        .sum([0])
        .mul(2 / count),
      setting,
    );
  },
});
