import { z } from 'zod';
import { appliedAll, type Expression } from '../../onnx/expression.ts';
import { sizeOf } from '../../tensor.ts';
import { defineMethod } from '../method.ts';
import { baselineImage, baselineParam } from '../shared/baseline.ts';
import { perRow } from '../shared/noise.ts';

const allAxes = [0, 1, 2, 3];

/**
 * Guided integrated gradients: integrated gradients along a path that changes values with the smallest gradients first.
 *
 *     attribution = Σ_t (x_t - x_t-1) ⊙ ∇y_c(x_t-1),   x_0 = x'        [N, C, H, W]
 *
 * After step t of n, the distance Σ|x - x_t| is (1 - t/n) Σ|x - x'|. Of the values that may still move, the `fraction`
 * with the smallest |∇y_c| moves first, then the next, until this distance is reached. A value stays within
 * α = t/n ± max_dist of its own way from x' to x.
 *
 * Attributions add up to y_c(x) - y_c(x') only as steps grow and max_dist goes to 0: a step may be up to 2·max_dist.
 *
 * @see Kapishnikov et al., "Guided Integrated Gradients: An Adaptive Path Method for Removing Noise", 2021; `GuidedIG` of PAIR's saliency
 * @example createExplainer(classifier, { method: 'guided-ig', parameters: { n_steps: 10 } }, runtime)
 */
export const guidedIg = defineMethod({
  id: 'guided-ig',
  title: 'Guided integrated gradients',
  summary: 'Integrated gradients along a path that avoids what the score reacts to until the end.',
  paper: 'https://arxiv.org/abs/2106.09788',
  version: '1',
  kind: 'pixels',
  axioms: ['dummy', 'implementation invariance'],
  needs: ['gradient'],
  conventions: ['paper'],
  parameters: z.strictObject({
    n_steps: z.int().min(1).max(1000).default(200).describe('Points on the path, one after the other'),
    fraction: z
      .number()
      .min(0.05)
      .max(1)
      .default(0.25)
      .describe('Share of the values that moves at a time, those with the smallest gradients'),
    max_dist: z
      .number()
      .min(0)
      .max(1)
      .default(0.02)
      .describe('How far a value may be from the straight path: 0 is integrated gradients, 1 is no limit'),
    baseline: baselineParam,
  }),
  sampled: true,
  explain({ image, at, overInTurn }, setting) {
    const { n_steps, fraction, max_dist, baseline } = setting.parameters;
    const alphas = Array.from({ length: n_steps }, (_, t) => (t + 1) / n_steps);
    const start = baselineImage(image, baseline, setting);
    const way = image.sub(start);
    const samples = {
      low: perRow(alphas.map((alpha) => Math.max(alpha - max_dist, 0))),
      high: perRow(alphas.map((alpha) => Math.min(alpha + max_dist, 1))),
      left: perRow(alphas.map((alpha) => 1 - alpha)),
    };
    const { attribution } = overInTurn(
      samples,
      { here: start, attribution: image.zerosLike() },
      ({ low, high, left }, { here, attribution }) => {
        const slope = at(here).gradient();
        const isBehind = here.sub(start).abs().isLess(way.abs().mul(low));
        const caughtUp = isBehind.where(start.add(way.mul(low)), here);
        const there = moved(caughtUp, {
          to: high.equals(1).where(image, start.add(way.mul(high))),
          slope,
          fraction,
          excess: (x) => image.sub(x).abs().sub(way.abs().mul(left)).sum(allAxes),
        });
        return { here: there, attribution: attribution.add(there.sub(here).mul(slope)) };
      },
    );
    return attribution;
  },
});

interface Move {
  /** The limit of each value. */
  readonly to: Expression;
  readonly slope: Expression;
  readonly fraction: number;
  /** Gives the distance from the image that exceeds the wanted distance. */
  excess(x: Expression): Expression;
}

/** Moves values to their limits, group by group, the smallest slopes first, until no excess is left. */
function moved(from: Expression, { to, slope, fraction, excess }: Move): Expression {
  const count = sizeOf(from.shape);
  const group = Math.floor(fraction * (count - 1)) + 1;
  let x = from;
  for (let k = 0; k < Math.ceil(count / group); k++) {
    const isDone = x.equals(to);
    const size = isDone.where(infinite, slope.abs());
    const threshold = smallest(size, group, count);
    const moving = to.sub(x).gate(size.isAtMost(threshold).and(isDone.not()));
    const reach = moving.abs().sum(allAxes);
    const share = excess(x).div(reach.isGreater(0).where(reach, 1)).atLeast(0).atMost(1);
    const isWhole = share.isAtLeast(1).and(size.isAtMost(threshold));
    x = isWhole.where(to, x.add(moving.mul(share)));
  }
  return x;
}

const infinite = 3e38;

/** Gives the value at a place, counted from 1, of all values in rising order. */
const smallest = (values: Expression, place: number, count: number): Expression =>
  appliedAll('TopK', [values.reshape([1, count]), values.ints([place])], { axis: 1, largest: 0 }, 2)[0]!
    .max([1])
    .reshape([1, 1, 1, 1]);
