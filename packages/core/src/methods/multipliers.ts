import { rescaleRules } from '../autodiff/rescale.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { mul, reshape, slice, sub, sum } from '../onnx/emit.ts';
import type { SampledSubject, Setting, Values } from './method.ts';

// DeepLIFT evaluates an image beside each baseline: rows image, baseline, image, baseline, …

/** Pairs of rows from baselines [images, S, C, H, W]. */
export function pairedRows(g: GraphBuilder, image: Value, baselines: Value): Value {
  const [images, samples, ...shape] = g.shape(baselines) as [number, number, ...number[]];
  const single = (v: Value) => g.emit('Unsqueeze', [v, g.ints([2])]);
  const copies = g.emit('Expand', [image, g.emit('Shape', [baselines])]);
  const pairs = g.emit('Concat', [single(copies), single(baselines)], { axis: 2 });
  return reshape(g, pairs, [images, samples * 2, ...shape]);
}

/** Σ share · multiplier ⊙ (image - baseline), [images, C, H, W]. */
export function multiplierSums(
  { g, rows, gradients, split }: SampledSubject,
  { share }: Values,
  { convention }: Setting<unknown>,
): Values {
  const samples = g.shape(share!)[0]!;
  const paired = (v: Value) => {
    const [images, , ...shape] = g.shape(v) as [number, number, ...number[]];
    return reshape(g, v, [images, samples, 2, ...shape]);
  };
  const pick = (v: Value, k: number) => slice(g, v, 2, k, k + 1);
  const inputs = paired(split(rows));
  const multiplier = pick(
    paired(split(gradients([rows], { rules: rescaleRules(convention === 'captum') })[0]!)),
    0,
  );
  const credit = mul(g, multiplier, sub(g, pick(inputs, 0), pick(inputs, 1)));
  return { total: sum(g, mul(g, credit, reshape(g, share!, [1, samples, 1, 1, 1, 1])), [1, 2], false) };
}
