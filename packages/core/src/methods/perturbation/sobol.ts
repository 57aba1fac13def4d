import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { float32, int64, type Tensor } from '../../tensor.ts';
import { defineMethod, type Samples } from '../method.ts';
import { permutation, uniform } from '../shared/random.ts';
import { cellMap, recordedMasks, scoresUnder, scoreUnder, sensitivityParams } from './sensitivity.ts';

const parameters = z.strictObject(sensitivityParams(32, 'Masks, of which each cell is drawn anew once'));

/**
 * Sobol: the share of the score's variance under random masks that involves a cell, its total Sobol index.
 *
 *     map_d = Σ_n (y(A_n) - y(A_n with cell d of B_n))² / (2 N Var(y(A)))
 *
 * A and B are N masks each, with numbers in [0, 1] (a Latin hypercube) that fade the image to the baseline. The
 * estimator is Jansen's. Cells are enlarged by cubic interpolation. Recorded `masks` [N·(cells + 2), rows, columns]
 * replace random ones: A, B, then for each cell all A with that cell of B.
 *
 * @see Fel et al., "Look at the Variance! Efficient Black-box Explanations with Sobol-based Sensitivity Analysis", 2021; `SobolAttributionMethod` of Xplique
 * @example createExplainer(classifier, { method: 'sobol', parameters: { grid_size: 3, n_samples: 4 } }, runtime)
 */
export const sobol = defineMethod({
  id: 'sobol',
  title: 'Sobol',
  summary: 'How much of what random masks do to the score each part of the photo is responsible for.',
  paper: 'https://arxiv.org/abs/2111.04138',
  version: '1',
  kind: 'map',
  needs: [],
  conventions: ['paper'],
  parameters,
  sampled: true,
  aux: ['masks'],
  explain(subject, setting) {
    const { grid_size, n_samples, seed } = setting.parameters;
    const cells = grid_size ** 2;
    const { masks, exchanged } =
      recordedDesign(subject.aux, grid_size) ?? exchangedCells(drawn(seed, n_samples, 2 * cells), cells);
    const count = masks.shape[0]!;
    const scores = scoresUnder(subject, masks, setting);
    const all = Array.from({ length: count * cells }, (_, s) => s);
    const samples = {
      exchanged,
      before: int64(
        [all.length],
        all.map((s) => s % count),
      ),
      cell: int64(
        [all.length],
        all.map((s) => Math.floor(s / count)),
      ),
      share: float32(
        [all.length],
        all.map(() => 1),
      ),
    };
    const change = subject.over(samples, ({ exchanged, before, cell, share }) => {
      const apart = scoreUnder(subject, exchanged, setting).sub(scores.gather(before, 1));
      return apart.square().mul(share).matmul(cell.oneHot(cells));
    });
    const variance = scores
      .sub(scores.mean([1]))
      .square()
      .sum([1])
      .mul(1 / (count - 1));
    return cellMap(change.div(variance.atLeast(1e-12).mul(2 * count)), setting);
  },
});

/** Masks [N, cells], and for each cell the same masks with this cell taken from other masks: [cells·N, cells]. */
interface Design {
  readonly masks: Tensor<'float32'>;
  readonly exchanged: Tensor<'float32'>;
}

/** Draws points of a Latin hypercube: each of `count` equal parts of each axis has one point. */
function drawn(seed: number, count: number, axes: number): number[][] {
  const orders = Array.from({ length: axes }, (_, axis) => permutation(seed, axis, count));
  const within = (n: number, axis: number) => uniform(seed, 2 ** 31 + n * axes + axis);
  return Array.from({ length: count }, (_, n) =>
    orders.map((order, axis) => (order[n]! + within(n, axis)) / count),
  );
}

function exchangedCells(points: readonly (readonly number[])[], cells: number): Design {
  const exchanged = Array.from({ length: cells }, (_, d) =>
    points.map((point) => point.slice(0, cells).with(d, point[cells + d]!)),
  );
  return {
    masks: float32(
      [points.length, cells],
      points.flatMap((point) => point.slice(0, cells)),
    ),
    exchanged: float32([cells * points.length, cells], exchanged.flat(2)),
  };
}

/** Reads A, B and the exchanged masks; B itself is not evaluated. */
function recordedDesign(aux: Samples, size: number): Design | undefined {
  const all = recordedMasks(aux, size);
  if (!all) return undefined;
  const cells = size ** 2;
  const count = all.shape[0]! / (cells + 2);
  if (!Number.isInteger(count) || count < 2)
    throw new InputError(
      'invalid_tensor',
      `aux "masks": expected a multiple of ${cells + 2} masks, two times or more, got ${all.shape[0]}`,
    );
  return {
    masks: float32([count, cells], all.data.subarray(0, count * cells)),
    exchanged: float32([cells * count, cells], all.data.subarray(2 * count * cells)),
  };
}
