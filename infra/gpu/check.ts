/**
 * Compares a GPU with the CPU: the same explanations on both, how far apart they are, and how long each takes.
 * `node infra/gpu/check.ts [--ep cuda] [MODEL.onnx...]`; without models, the network that comes with Whylight.
 * Fails where a difference is above the bound or where the GPU cannot be used.
 */
import { parseArgs } from 'node:util';
import {
  createExplainer,
  type Explainer,
  type Runtime,
  readClassifier,
  type Tensor,
  tensor,
} from '@whylight/core';
import { methods } from '@whylight/core/methods';
import {
  createRuntime,
  embeddedModels,
  executionProviders,
  inputShapeOf,
  ModelRegistry,
} from '@whylight/host';

/**
 * Largest difference over the largest value, in float32 with TF32 off. Scores differ by the order of sums only. A
 * gradient also differs where a ReLU's input is so close to zero that this order decides its gate: one such gate moved
 * the input gradient of networks with 10^6 of them by up to 3e-2 between two CPU implementations.
 */
const bounds = { scores: 1e-4, attribution: 5e-2 };
const repetitions = 5;

const { values, positionals } = parseArgs({
  options: { ep: { type: 'string', default: 'cuda' } },
  allowPositionals: true,
});
const ep = executionProviders.find((each) => each === values.ep);
if (!ep) throw new Error(`--ep: expected one of ${executionProviders.join(', ')}, got ${values.ep}`);

const registry = await ModelRegistry.open(positionals.length > 0 ? positionals : [embeddedModels]);
const cpu = await createRuntime({ ep: 'cpu' });
const device = await createRuntime({ ep });

interface Row {
  readonly model: string;
  readonly method: string;
  readonly scores: number;
  readonly attribution: number;
  readonly 'cpu ms': number;
  readonly 'device ms': number;
  readonly faster: string;
  readonly verdict: 'same' | 'DIFFERENT';
}

const rows: Row[] = [];
for (const model of registry.list()) {
  const inputShape = inputShapeOf(model.manifest.preprocessing);
  const classifier = readClassifier(await model.bytes(), inputShape ? { inputShape } : {});
  const batch = noise([1, ...classifier.inputShape]);
  for (const { id } of methods) {
    const measure = async (runtime: Runtime) => {
      const explainer = await createExplainer(classifier, { method: id }, runtime);
      try {
        return await explain(explainer, batch);
      } finally {
        await explainer.close();
      }
    };
    const [ours, theirs] = [await measure(cpu), await measure(device)];
    const scores = relativeDifference(ours.logits, theirs.logits);
    const attribution = relativeDifference(ours.attribution, theirs.attribution);
    rows.push({
      model: model.name,
      method: id,
      scores: Number(scores.toPrecision(2)),
      attribution: Number(attribution.toPrecision(2)),
      'cpu ms': rounded(ours.milliseconds),
      'device ms': rounded(theirs.milliseconds),
      faster: `${(ours.milliseconds / theirs.milliseconds).toFixed(1)}x`,
      verdict: scores <= bounds.scores && attribution <= bounds.attribution ? 'same' : 'DIFFERENT',
    });
  }
}
console.log(
  `cpu against ${device.device}: differences in scores (at most ${bounds.scores}) and attribution (at most ${bounds.attribution}), medians of ${repetitions} runs`,
);
console.table(rows);
if (rows.length === 0 || rows.some(({ verdict }) => verdict !== 'same')) process.exitCode = 1;

/** Scores, the attribution of class 0, and the median time of a run once it is warm. */
async function explain(explainer: Explainer, input: Tensor) {
  const { attribution, logits } = await explainer.attribute(input, [0]);
  const times: number[] = [];
  for (let run = 0; run < repetitions; run++) {
    const start = performance.now();
    await explainer.attribute(input, [0]);
    times.push(performance.now() - start);
  }
  return { attribution, logits, milliseconds: times.sort((a, b) => a - b)[repetitions >> 1]! };
}

/** max |a - b| / max |a|; infinite where only one is zero or anything is not finite. */
function relativeDifference(a: Tensor<'float32'>, b: Tensor<'float32'>): number {
  let apart = 0;
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) {
    apart = Math.max(apart, Math.abs(a.data[i]! - (b.data[i] ?? Number.NaN)));
    largest = Math.max(largest, Math.abs(a.data[i]!));
  }
  if (Number.isNaN(apart)) return Number.POSITIVE_INFINITY;
  return apart === 0 ? 0 : apart / largest;
}

/** The same picture on every machine: uniform in [-1, 1] from a linear congruential generator. */
function noise(shape: readonly number[]): Tensor<'float32'> {
  let state = 1;
  const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return tensor('float32', shape, data);
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toFixed(2));
}
