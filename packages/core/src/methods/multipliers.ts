import { rescaleRules } from '../autodiff/rescale/index.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { mul, reshape, slice, sub, sum } from '../onnx/emit.ts';
import { type Baseline, baselineOf } from './baseline.ts';
import type { SampledSubject, Setting, Values } from './method.ts';

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

/** Σ share · multiplier ⊙ (image - baseline), [images, C, H, W]. */
export const multiplierSums = (subject: SampledSubject, given: Values, setting: Setting<unknown>): Values =>
  creditSums(subject, subject.rows, given, setting);

/** The same of a layer's values for the two, [images, C, h, w]. */
export const layerMultiplierSums = (
  subject: SampledSubject,
  given: Values,
  setting: Setting<unknown>,
): Values => creditSums(subject, subject.layers[0]!, given, setting);

function creditSums(
  { g, gradients, split }: SampledSubject,
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
  return { total: sum(g, mul(g, credit, reshape(g, share!, [1, samples, 1, 1, 1, 1])), [1, 2], false) };
}
