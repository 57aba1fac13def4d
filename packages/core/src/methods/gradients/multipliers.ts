import { named, passedBy } from '../../autodiff/path.ts';
import { rescaleRules } from '../../autodiff/rescale/index.ts';
import { lossesOn } from '../../autodiff/rescale/sums.ts';
import { applied, type Expression } from '../../onnx/expression.ts';
import { quoted } from '../../onnx/names.ts';
import type { Tensor } from '../../tensor.ts';
import type { Asked, Exceptions, SampleSet, Seen, Setting, Subject } from '../method.ts';
import { type Baseline, baselineImage } from '../shared/baseline.ts';
import { perRow } from '../shared/noise.ts';

// DeepLIFT evaluates the image together with each baseline: rows image, baseline, image, baseline, …

/** Pairs the image with each of some baselines [samples, C, H, W]. */
const pairsOf = (image: Expression, baselines: Expression): Expression => {
  const [samples, ...shape] = baselines.shape as [number, ...number[]];
  const both = [image.expandAs(baselines), baselines].map((rows) => rows.unsqueeze(1));
  return applied('Concat', both, { axis: 1 }).reshape([samples * 2, ...shape]);
};

/**
 * Computes Σ share · multiplier ⊙ (value - its value for the baseline) over baselines, [1, …], for the image or the
 * first layer; and Σ share · the baseline's score, from which the attributions add up to the score.
 *
 * @param baselines gives the baselines of a chunk, [samples, C, H, W], from the chunk's samples
 */
export function multiplierSums<S extends SampleSet & { readonly share: Tensor }>(
  { image, at, over }: Subject,
  samples: S,
  baselines: (chunk: { readonly [K in keyof S]: Expression }) => Expression,
  { convention }: Setting<unknown>,
  where: 'image' | 'layer',
): { readonly total: Expression; readonly from: Expression } {
  return over(samples, (chunk) => {
    const pairs = at(pairsOf(image, baselines(chunk)));
    const values = where === 'image' ? pairs.image : pairs.layers[0]!;
    const count = chunk.share.shape[0]!;
    const paired = (v: Expression) => v.reshape([count, 2, ...v.shape.slice(1)]);
    const pick = (v: Expression, k: number) => v.slice(1, k, k + 1);
    const rules = rescaleRules(values, convention === 'captum');
    const [multipliers] = pairs.gradients([values], { rules }) as [Expression];
    const [multiplier, both] = [pick(paired(multipliers), 0), paired(values)];
    const credit = multiplier.mul(pick(both, 0).sub(pick(both, 1)));
    const counted = (v: Expression) => v.mul(chunk.share.reshape([count, ...v.shape.slice(1).map(() => 1)]));
    return {
      total: counted(credit).sum([0, 1], false).unsqueeze(0),
      from: counted(pick(paired(pairs.score), 1))
        .sum([0, 1], false)
        .unsqueeze(0),
    };
  });
}

/** The samples that `multiplierSums` takes for a single baseline. */
export const oneBaseline = { share: perRow([1]) };

/** Gives the same baseline for each sample. */
export const sameBaseline =
  (image: Expression, baseline: Baseline, setting: Setting<unknown>) =>
  ({ share }: { readonly share: Expression }): Expression =>
    baselineImage(image, baseline, setting).add(share.mul(0));

/** The condition under which attributions add up. */
export const addingUp = 'of networks whose operators all have a rule that adds up, as whylight check says';

/** Explains why attributions do not add up: names operators for which Σ m·Δx is not Δy. */
export function rescaleExceptions(
  { g, image, logits, layers }: Seen,
  { convention }: Asked<unknown>,
): Exceptions {
  const way = { g, image, from: layers[0] ?? image, to: logits };
  const losses = lossesOn(way, convention === 'captum');
  if (losses.size > 0) return { completeness: `no DeepLIFT rule that adds up for ${named(losses)}` };
  return passedByLayer({ g, image, logits, layers });
}

/** Explains why a layer's values do not account for all of the score. */
export function passedByLayer({ g, image, logits, layers }: Seen): Exceptions {
  const [layer] = layers;
  if (layer === undefined || !passedBy(g, image, layer, logits)) return {};
  return { completeness: `the scores depend on the image past the layer ${quoted(layer)}, too` };
}
