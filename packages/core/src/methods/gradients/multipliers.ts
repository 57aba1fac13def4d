import { named, passedBy } from '../../autodiff/path.ts';
import { rescaleRules } from '../../autodiff/rescale/index.ts';
import { lossesOn } from '../../autodiff/rescale/sums.ts';
import type { GraphBuilder, Value } from '../../onnx/builder.ts';
import { mul, reshape, slice, sub, sum } from '../../onnx/emit.ts';
import { quoted } from '../../onnx/names.ts';
import type { Asked, Exceptions, SampledSubject, Seen, Setting, Values } from '../method.ts';
import { type Baseline, baselineOf } from '../shared/baseline.ts';

// DeepLIFT evaluates an image beside each baseline: rows image, baseline, image, baseline, …

/** Pairs of rows with one and the same baseline for each of the samples. */
export function besideBaseline(
  g: GraphBuilder,
  image: Value,
  { share }: Values,
  setting: Setting<{ readonly baseline: Baseline }>,
): Value {
  const baseline = g.emit('Add', [
    g.emit('Mul', [image, g.scalar(0)]),
    baselineOf(g, image, setting.params.baseline, setting),
  ]);
  const samples = g.emit('Mul', [g.emit('Unsqueeze', [share!, g.ints([1, 2, 3])]), g.scalar(0)]);
  return pairedRows(g, image, g.emit('Add', [baseline, samples]));
}

/** Pairs of rows from baselines [images, S, C, H, W]. */
export function pairedRows(g: GraphBuilder, image: Value, baselines: Value): Value {
  const [images, samples, ...shape] = g.shape(baselines) as [number, number, ...number[]];
  const single = (v: Value) => g.emit('Unsqueeze', [v, g.ints([2])]);
  const copies = g.emit('Expand', [image, g.emit('Shape', [baselines])]);
  const pairs = g.emit('Concat', [single(copies), single(baselines)], { axis: 2 });
  return reshape(g, pairs, [images, samples * 2, ...shape]);
}

/** Σ share · multiplier ⊙ (image - baseline), [images, C, H, W], and the score that the shares are measured from. */
export const multiplierSums = (subject: SampledSubject, given: Values, setting: Setting<unknown>): Values =>
  creditSums(subject, subject.rows, given, setting);

/** The same of a layer's values for the two, [images, C, h, w]. */
export const layerMultiplierSums = (
  subject: SampledSubject,
  given: Values,
  setting: Setting<unknown>,
): Values => creditSums(subject, subject.layers[0]!, given, setting);

function creditSums(
  { g, gradients, scores, split }: SampledSubject,
  values: Value,
  { share }: Values,
  { convention }: Setting<unknown>,
): Values {
  const samples = g.shape(share!)[0]!;
  const paired = (v: Value) => {
    const [images, , ...shape] = g.shape(v) as [number, number, ...number[]];
    return reshape(g, v, [images, samples, 2, ...shape]);
  };
  const pick = (v: Value, k: number) => slice(g, v, 2, k, k + 1);
  const pair = paired(split(values));
  const multiplier = pick(
    paired(split(gradients([values], { rules: rescaleRules(g, values, convention === 'captum') })[0]!)),
    0,
  );
  const credit = mul(g, multiplier, sub(g, pick(pair, 0), pick(pair, 1)));
  const counted = (v: Value, ...ones: number[]) => mul(g, v, reshape(g, share!, [1, samples, 1, ...ones]));
  return {
    total: sum(g, counted(credit, 1, 1, 1), [1, 2], false),
    from: sum(g, counted(pick(paired(scores), 1)), [1, 2], false),
  };
}

/** When attributions add up. */
export const addingUp = 'of networks whose operators all have a rule that adds up, as whylight check says';

/** Why the attributions do not add up: operators whose multipliers do not. */
export function rescaleExceptions(
  { g, image, logits, layers }: Seen,
  { convention }: Asked<unknown>,
): Exceptions {
  const way = { g, image, from: layers[0] ?? image, to: logits };
  const losses = lossesOn(way, convention === 'captum');
  if (losses.size > 0) return { completeness: `no DeepLIFT rule that adds up for ${named(losses)}` };
  return passedByLayer({ g, image, logits, layers });
}

/** Why a layer's values do not account for all of the score. */
export function passedByLayer({ g, image, logits, layers }: Seen): Exceptions {
  const [layer] = layers;
  if (layer === undefined || !passedBy(g, image, layer, logits)) return {};
  return { completeness: `the scores depend on the image past the layer ${quoted(layer)}, too` };
}
