/**
 * Compares a GPU with the CPU: the same explanations on both, how far apart they are, and how long each takes.
 * `node infra/gpu/check.ts [--ep cuda] [--tf32] [--runs 3] [--only ID,ID] [MODEL.onnx...]`; without models, the small
 * network of drawn shapes.
 * Fails if a difference is above the bound or if the GPU cannot be used.
 */
import { parseArgs } from 'node:util';
import {
  createExplainer,
  type Explainer,
  InputError,
  type Runtime,
  type Tensor,
  tensor,
} from '@whylight/core';
import { methods } from '@whylight/core/methods';
import { classifierOf, createRuntime, executionProviders, ModelRegistry, shapesModel } from '@whylight/host';

/**
 * Largest difference over the largest value, in float32 with TF32 off. Scores differ by the order of sums only. A
 * gradient also differs if a ReLU's input is so close to zero that this order decides its gate: one such gate moved
 * the input gradient of networks with 10^6 of them by up to 3e-2 between two CPU implementations.
 */
const bounds = { scores: 1e-4, attribution: 5e-2 };
/** Bounds with TF32, which keeps ten of 23 bits of each factor of a product. */
const loose = { scores: 2e-2, attribution: 5e-1 };

/** Sample counts that are enough to compare, and few enough for a CPU. */
const fewer: Readonly<Record<string, Record<string, unknown>>> = {
  'ss-cam': { num_samples: 2 },
  'is-cam': { num_samples: 2 },
  rise: { n_masks: 200 },
  'shapley-sampling': { n_samples: 5 },
  'smooth-grad': { nt_samples: 5 },
  'smooth-grad-squared': { nt_samples: 5 },
  'var-grad': { nt_samples: 5 },
};

const { values, positionals } = parseArgs({
  options: {
    ep: { type: 'string', default: 'cuda' },
    tf32: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: methods.map(({ id }) => id).join(',') },
  },
  allowPositionals: true,
});
const within = values.tf32 ? loose : bounds;
process.env.NVIDIA_TF32_OVERRIDE = values.tf32 ? '1' : '0'; // read by NVIDIA's libraries when they are loaded
const ep = executionProviders.find((each) => each === values.ep);
if (!ep) throw new Error(`--ep: expected one of ${executionProviders.join(', ')}, got ${values.ep}`);

const registry = await ModelRegistry.open(positionals.length > 0 ? positionals : [shapesModel]);
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
  const classifier = await classifierOf(model);
  const batch = noise([1, ...classifier.inputShape]);
  for (const id of values.only.split(',')) {
    const measure = async (runtime: Runtime) => {
      const explainer = await createExplainer(classifier, { method: id, parameters: fewer[id] }, runtime);
      try {
        return await explain(explainer, batch);
      } finally {
        await explainer.close();
      }
    };
    const ours = await measure(cpu).catch((error: Error) => {
      if (error instanceof InputError) return error;
      throw error;
    });
    if (ours instanceof InputError) {
      console.log(`${model.name}: ${ours.message}`); // not for this network, on any device
      continue;
    }
    const theirs = await measure(device);
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
      verdict: scores <= within.scores && attribution <= within.attribution ? 'same' : 'DIFFERENT',
    });
  }
}
console.log(
  `cpu against ${device.device}, TF32 ${values.tf32 ? 'on' : 'off'}: differences in scores (at most ${within.scores}) and attribution (at most ${within.attribution}), medians of ${values.runs} runs`,
);
console.table(rows);
if (rows.length === 0 || rows.some(({ verdict }) => verdict !== 'same')) process.exitCode = 1;

/** Scores, the attribution of class 0, and the median time of a run once it is warm. */
async function explain(explainer: Explainer, input: Tensor) {
  const { attribution, logits } = await explainer.attribute(input, [0]);
  const times: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const start = performance.now();
    await explainer.attribute(input, [0]);
    times.push(performance.now() - start);
  }
  return { attribution, logits, milliseconds: times.sort((a, b) => a - b)[times.length >> 1]! };
}

/** max |a - b| / max |a|; infinite if only one is zero or any value is not finite. */
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
