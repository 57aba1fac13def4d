import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import type { Attribution, ExplainerSpec } from '../explainer.ts';
import type { Target } from '../targets.ts';
import { float32, type Tensor } from '../tensor.ts';
import { explain } from '../testing/explain.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { methods } from './list.ts';
import { type Axiom, axioms, type Method } from './method.ts';

// What a method says that holds of it is measured, and what it does not say is measured not to hold.

const [height, width] = [6, 6];
const wave = (shape: readonly number[], phase: number): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => 0.6 * Math.sin(1.3 * i + phase)),
  );

interface Nonlinear {
  relu(layer: Layer, name: string, x: string): string;
  tanh(layer: Layer, name: string, x: string): string;
}
const usual: Nonlinear = {
  relu: (layer, name, x) => layer(name, 'Relu', [x]),
  tanh: (layer, name, x) => layer(name, 'Tanh', [x]),
};
/** The same functions put differently: (x + |x|) · ½ and 2σ(2x) - 1. */
const unusual: Nonlinear = {
  relu: (layer, name, x) =>
    layer(name, 'Mul', [layer(`${name}/twice`, 'Add', [x, layer(`${name}/abs`, 'Abs', [x])]), 'half']),
  tanh(layer, name, x) {
    const sigmoid = layer(`${name}/sigmoid`, 'Sigmoid', [layer(`${name}/double`, 'Add', [x, x])]);
    return layer(name, 'Sub', [layer(`${name}/doubled`, 'Add', [sigmoid, sigmoid]), 'one']);
  },
};

/** Two convolutions and three classes over a grey image, whose last column counts for nothing. */
const network = ({ relu, tanh }: Nonlinear): Uint8Array =>
  networkOf([1, height, width], (layer, image, g) => {
    const seen = Array.from({ length: height * width }, (_, i) => Number(i % width < width - 1));
    const learned = (name: string, shape: readonly number[], phase: number) =>
      g.constant(wave(shape, phase), name);
    g.constant(float32([], [0.5]), 'half');
    g.constant(float32([], [1]), 'one');
    const x = layer('x', 'Mul', [image, g.constant(float32([1, 1, height, width], seen), 'seen')]);
    const c1 = layer('c1', 'Conv', [x, learned('w1', [3, 1, 3, 3], 0.5), learned('b1', [3], 0.2)], {
      pads: [1, 1, 1, 1],
    });
    const r1 = relu(layer, 'r1', c1);
    const c2 = layer('c2', 'Conv', [r1, learned('w2', [4, 3, 3, 3], 2), learned('b2', [4], 1)], {
      pads: [1, 1, 1, 1],
      strides: [2, 2],
    });
    const pooled = layer('pool', 'GlobalAveragePool', [relu(layer, 'r2', c2)]);
    const scores = float32(
      [3, 4],
      wave([3, 4], 0.7).data.map((v) => 8 * v),
    );
    const flat = tanh(layer, 'flat', layer('means', 'Reshape', [pooled, g.ints([-1, 4])]));
    return layer('logits', 'Gemm', [flat, g.constant(scores, 'w3'), learned('b3', [3], 3)], {
      transB: 1,
    });
  });

const plain = network(usual);
const anew = network(unusual);
const image = float32(
  [1, 1, height, width],
  wave([height * width], 0.9).data.map((v) => 2 * v + 0.5),
);
const nothing = float32(image.shape, new Float32Array(height * width));

/** What methods give of the image, by what was asked: several axioms look at the same. */
const given = new Map<string, Promise<Float32Array>>();
function of(spec: ExplainerSpec, target: Target, model = plain): Promise<Float32Array> {
  const asked = JSON.stringify([spec, target, model === plain]);
  const known = given.get(asked) ?? explain(model, spec, image, [target]).then(dataOf);
  given.set(asked, known);
  return known;
}
const dataOf = ({ attribution }: Attribution): Float32Array => attribution.data;
const scoreOf = async (at: Tensor<'float32'>): Promise<number> =>
  (await explain(plain, { method: 'saliency' }, at, [1])).logits.data[1]!;
/** How much more the class scores for the image than for nothing. */
const difference = Promise.all([scoreOf(image), scoreOf(nothing)]).then(([some, none]) => some - none);
const largest = (values: Float32Array): number => Math.max(...values.map(Math.abs));
/** Largest difference over largest value. */
const apart = (a: Float32Array, b: Float32Array): number => largest(a.map((v, i) => v - b[i]!)) / largest(a);

/** How far an attribution is from each axiom. */
const violation: Readonly<Record<Axiom, (spec: ExplainerSpec) => Promise<number>>> = {
  async completeness(spec) {
    const total = (await of(spec, 1)).reduce((a, b) => a + b, 0);
    return Math.abs(total / (await difference) - 1);
  },
  async dummy(spec) {
    const values = await of(spec, 1);
    return largest(values.filter((_, i) => i % width === width - 1)) / largest(values);
  },
  async linearity(spec) {
    const [one, two] = [await of(spec, 0), await of(spec, 2)];
    const both = await of(spec, [
      { class: 0, weight: 1 },
      { class: 2, weight: 1 },
    ]);
    return apart(
      both,
      one.map((v, i) => v + two[i]!),
    );
  },
  'implementation invariance': async (spec) => apart(await of(spec, 1), await of(spec, 1, anew)),
};

/** Pixels are what counts or does not, and what an implementation has in common with another. */
const ofPixels: readonly Axiom[] = ['dummy', 'implementation invariance'];
/** Integrals cost steps, expectations samples. */
const tolerance: Readonly<Record<Axiom, number>> = {
  completeness: 2e-3,
  dummy: 1e-5,
  linearity: 1e-5,
  'implementation invariance': 1e-5,
};
const steps = { n_steps: 1000 };
const pixels = { grid: `${height}x${width}` };
const exactly: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'integrated-gradients': steps,
  'layer-integrated-gradients': steps,
  'layer-conductance': steps,
  xrai: { segments: 'grid', grid: '2x3', min_pixel_diff: 1 },
  occlusion: { sliding_window_shapes: [1, 2, 2], strides: [1, 1, 1] },
  'feature-ablation': pixels,
  'shapley-sampling': pixels,
  'kernel-shap': { ...pixels, n_samples: 400 },
  lime: { ...pixels, n_samples: 50 },
};

/** What does not hold in general, and does on this network. */
const unshown: Readonly<Record<string, Axiom>> = {
  lrp: 'implementation invariance',
  lime: 'dummy',
  'layer-gradient-shap': 'completeness',
  'random-cam': 'linearity',
};

const specOf = ({ id, conventions, needs }: Method): ExplainerSpec => ({
  method: id,
  convention: conventions.includes('captum') ? 'captum' : 'paper', // Captum gives what is computed as it is.
  parameters: exactly[id] ?? {},
  layers: needs.includes('layer') ? ['r2'] : [],
});
const measurable = methods.filter(({ needs }) => !needs.includes('attention'));

/** A method that takes no sum of classes is not linear. */
const refused = (error: unknown): number => {
  if (error instanceof InputError) return Infinity;
  throw error;
};

describe.each(axioms)('%s', (axiom) => {
  const asked = measurable.filter(({ kind }) => kind === 'pixels' || !ofPixels.includes(axiom));

  it.each(asked.map((method) => [method.id, method] as const))('of %s is as it says', async (_, method) => {
    const measured = await violation[axiom](specOf(method)).catch(refused);
    if (method.axioms?.includes(axiom)) expect(measured).toBeLessThan(tolerance[axiom]);
    else if (unshown[method.id] !== axiom) expect(measured).toBeGreaterThan(10 * tolerance[axiom]);
  });
});
