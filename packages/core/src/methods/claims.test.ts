import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Attribution, createExplainer, type ExplainerSpec } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';
import { float32, type Tensor } from '../tensor.ts';
import { explain } from '../testing/explain.ts';
import { type Layer, networkOf, tinyImages, tinyNetwork } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { tinyTransformer } from '../testing/transformer.ts';
import { type Warning, warningText } from '../warning.ts';
import { claimed } from './claims.ts';
import { methods } from './list.ts';
import type { Method } from './method.ts';
import { resolveMethod } from './resolve.ts';

// Every claim of completeness, with every parameter that is a choice: it comes with a delta, the delta is what the
// shares leave of the score's difference, and it is small. No claim, no small delta by promise.

const image = tinyImages();
const one = float32([1, 2, 6, 6], image.data.slice(0, 72));

/** Few enough evaluations to be quick, many enough to converge. */
const enough: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'integrated-gradients': { n_steps: 1000 },
  'layer-integrated-gradients': { n_steps: 1000 },
  'layer-conductance': { n_steps: 1000 },
  'kernel-shap': { grid: '2x3', n_samples: 60 },
  'shapley-sampling': { grid: '2x3', n_samples: 4 },
};

/** Values of a parameter that is a choice; of one that can be a number as well, those that need no more of the model. */
function choices(schema: unknown): readonly unknown[] {
  const {
    type,
    enum: values,
    anyOf,
  } = z.toJSONSchema(schema as z.ZodType, { io: 'input' }) as {
    type?: string;
    enum?: unknown[];
    anyOf?: { enum?: unknown[] }[];
  };
  if (type === 'boolean') return [true, false];
  return (values ?? anyOf?.find((option) => option.enum)?.enum ?? []).filter((value) => value !== 'black');
}

/** A method under a convention with its defaults, and with each other value of each of its choices. */
const specsOf = (method: Method): ExplainerSpec[] =>
  method.conventions.flatMap((convention) => {
    const { shape } = method.parameters as unknown as z.ZodObject;
    const { parameters } = resolveMethod({ method: method.id, convention });
    const base = enough[method.id] ?? {};
    const others = Object.entries(shape).flatMap(([name, schema]) =>
      name in parameters ? choices(schema).map((value) => ({ ...base, [name]: value })) : [],
    );
    return [base, ...others].map((chosen) => ({
      method: method.id,
      convention,
      parameters: chosen,
      layers: method.needs.includes('layer') ? ['r1'] : [],
    }));
  });

const claims = (method: Method, spec: ExplainerSpec): boolean => {
  const { convention, parameters } = resolveMethod(spec);
  return claimed(method, { convention, parameters: method.parameters.parse(parameters) }).includes(
    'completeness',
  );
};

const network = tinyNetwork();
async function scoreAt(at: Tensor<'float32'>): Promise<number> {
  return (await explain(network, { method: 'saliency' }, at, [1])).logits.data[1]!;
}
/** How much more the class scores for the image than for zeros. */
const scoreDifference = Promise.all([scoreAt(one), scoreAt(float32(one.shape, new Float32Array(72)))]).then(
  ([some, none]) => some - none,
);

/** What the attribution is compared with: its own total where it comes out as it is. */
const total = ({ attribution }: Attribution): number => attribution.data.reduce((a, b) => a + b, 0);

const complete = methods.filter(({ axioms }) => axioms?.includes('completeness'));
const others = methods.filter((method) => !complete.includes(method) && !method.needs.includes('attention'));

describe.each(complete.map((method) => [method.id, method] as const))('%s', (_, method) => {
  it.each(
    specsOf(method).map((spec) => [`${spec.convention} ${JSON.stringify(spec.parameters)}`, spec] as const),
  )('claims what is true: %s', { timeout: 60_000 }, async (_, spec) => {
    const found = await explain(network, spec, one, [1]);
    if (!claims(method, spec)) return expect(found.convergenceDelta).toBeNull();
    const [delta] = found.convergenceDelta!;
    expect(Math.abs(delta!)).toBeLessThan(2e-3);
    expect(found.warnings).toEqual([]);
    const asItIs =
      (method.kind === 'pixels' && !('grid' in spec.parameters!)) || spec.convention === 'captum';
    const baseline = (spec.parameters as { baseline?: string }).baseline ?? 'zero';
    if (!asItIs || baseline !== 'zero' || 'grid' in spec.parameters!) return;
    const difference = await scoreDifference;
    expect(Math.abs(difference)).toBeGreaterThan(0.1);
    expect(Math.abs(total(found) - difference - delta!)).toBeLessThan(1e-5);
  });
});

describe.each(others.map((method) => [method.id, method] as const))('%s', (_, { id, needs, conventions }) => {
  it('claims no completeness, and reports no delta', async () => {
    const parameters = { occlusion: { sliding_window_shapes: [2, 3, 3], strides: [1, 3, 3] } }[id] ?? {};
    const spec = {
      method: id,
      convention: conventions[0],
      parameters,
      layers: needs.includes('layer') ? ['r2'] : [],
    };
    expect((await explain(network, spec, one, [1])).convergenceDelta).toBeNull();
  });
});

/** A network with, between its layers, what `build` makes. */
const between = (
  build: (layer: Layer, x: string, g: Parameters<Parameters<typeof networkOf>[1]>[2]) => string,
) =>
  networkOf([2, 6, 6], (layer, x, g) => {
    const weight = (...shape: number[]) =>
      g.constant(
        float32(
          shape,
          Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(1.3 * i + 1)),
        ),
      );
    const c = layer('c', 'Conv', [x, weight(4, 2, 3, 3), weight(4)], { pads: [1, 1, 1, 1] });
    const y = layer('y', 'Conv', [build(layer, c, g), weight(4, 4, 1, 1)]);
    const pooled = layer('pooled', 'GlobalAveragePool', [layer('sig', 'Sigmoid', [y])]);
    return layer('logits', 'Gemm', [layer('flat', 'Flatten', [pooled]), weight(4, 3)]);
  });

const losing: Record<string, readonly [Uint8Array, RegExp]> = {
  'a Where whose condition moves': [
    between((layer, x, g) =>
      layer('chosen', 'Where', [layer('open', 'Greater', [x, g.scalar(0.2)]), x, g.scalar(-1)]),
    ),
    /Where \(input 0\): node "chosen"/,
  ],
  'a mask that moves': [
    between((layer, x, g) => {
      const mask = layer('mask', 'Cast', [layer('open', 'Greater', [x, g.scalar(0.2)])], { to: 1 });
      return layer('masked', 'Mul', [x, mask]);
    }),
    /Cast \(input 0\): node "mask"/,
  ],
  'a TopK': [
    between((layer, x, g) => {
      g.add({
        op: 'TopK',
        name: 'top',
        inputs: [x, g.ints([4])],
        outputs: ['top', 'places'],
        attributes: { axis: 1 },
      });
      void layer;
      return 'top';
    }),
    /TopK: node "top"/,
  ],
  'rounded values beside': [
    between((layer, x) => layer('sum', 'Add', [x, layer('rounded', 'Round', [x])])),
    /Round: node "rounded"/,
  ],
  'a product of all channels': [
    between((layer, x, g) => layer('times', 'Mul', [x, layer('prod', 'ReduceProd', [x, g.ints([1])])])),
    /ReduceProd: node "prod"/,
  ],
};

describe('Of a network on which sums do not add up', () => {
  const asked = ['deep-lift', 'deep-lift-shap', 'layer-deep-lift', 'layer-deep-lift-shap'];

  it.each(Object.entries(losing))('with %s', async (_, [model, reason]) => {
    const report = inspect(model);
    for (const id of asked) {
      const about = report.methods.find((method) => method.id === id)!;
      const layer = id.startsWith('layer');
      const spec = { method: id, layers: layer ? ['c'] : [] };
      const { convergenceDelta, warnings } = await explain(model, spec, one, [1]);
      expect(Math.abs(convergenceDelta![0]!), id).toBeGreaterThan(1e-3);
      expect(warnings.map(warningText).join(), id).toMatch(reason);
      expect(warnings.map(warningText).join(), id).toMatch(/^no_completeness: .*convergence_delta/);
      if (layer) continue; // the report looks at the last layer, behind
      expect(about).toMatchObject({ works: true, reason: expect.stringMatching(reason) });
      expect(about.axioms).not.toContain('completeness');
    }
  });

  it.each(['paper', 'captum'] as const)(
    'and of one on which they do, nothing is said (%s)',
    async (convention) => {
      const { warnings } = await explain(tinyNetwork(), { method: 'deep-lift', convention }, one, [1]);
      expect(warnings).toEqual([]);
      const about = inspect(tinyNetwork()).methods.find(({ id }) => id === 'deep-lift')!;
      expect(about).toEqual({
        id: 'deep-lift',
        works: true,
        reason: null,
        axioms: ['completeness', 'dummy', 'linearity'],
      });
    },
  );

  it('what Captum has no rule for is said under its convention', async () => {
    const model = tinyTransformer();
    const ours = await explain(model, { method: 'deep-lift' }, one, [1]);
    expect(ours.warnings).toEqual([]);
    expect(Math.abs(ours.convergenceDelta![0]!)).toBeLessThan(1e-5);
    const captum = await explain(model, { method: 'deep-lift', convention: 'captum' }, one, [1]);
    expect(captum.warnings.map(warningText).join()).toMatch(
      /MatMul: 4 nodes.*Softmax: 2 nodes|Softmax: 2 nodes.*MatMul: 4 nodes/,
    );
    expect(Math.abs(captum.convergenceDelta![0]!)).toBeGreaterThan(1e-3);
  });

  it('a layer that the image passes by accounts for a part only', async () => {
    const model = between((layer, x) => layer('sum', 'Add', [x, layer('branch', 'Tanh', [x])]));
    for (const method of ['layer-deep-lift', 'layer-conductance', 'layer-integrated-gradients']) {
      const { convergenceDelta, warnings } = await explain(model, { method, layers: ['branch'] }, one, [1]);
      expect(warnings.map(warningText).join(), method).toMatch(/past the layer "branch"/);
      expect(Math.abs(convergenceDelta![0]!), method).toBeGreaterThan(1e-3);
      const whole = await explain(model, { method, layers: ['sum'] }, one, [1]);
      expect(whole.warnings, method).toEqual([]);
    }
  });
});

describe('Where no ReLU is', () => {
  const smooth = between((layer, x) => layer('tanh', 'Tanh', [x]));
  const said = (warnings: readonly Warning[] | string | null) =>
    /equals_gradient: no ReLU/.test(
      typeof warnings === 'object' ? (warnings ?? []).map(warningText).join() : warnings,
    );

  it.each([
    ['guided-backprop', {}, 'saliency', { abs: false }],
    ['deconvolution', {}, 'saliency', { abs: false }],
    [
      'smooth-grad',
      { base: 'guided-backprop', nt_samples: 3 },
      'smooth-grad',
      { base: 'saliency', nt_samples: 3 },
    ],
    ['var-grad', { base: 'deconvolution', nt_samples: 3 }, 'var-grad', { base: 'saliency', nt_samples: 3 }],
  ] as const)('%s %o is %s %o, and says so', async (method, parameters, gradient, gradientParams) => {
    const found = await explain(smooth, { method, parameters }, one, [1]);
    const expected = await explain(smooth, { method: gradient, parameters: gradientParams }, one, [1]);
    expect(found.attribution.data).toEqual(expected.attribution.data);
    expect(said(found.warnings)).toBe(true);
    expect(said(expected.warnings)).toBe(false);
  });

  it('guided Grad-CAM says so, and whylight check of all three', async () => {
    expect(said((await explain(smooth, { method: 'guided-grad-cam' }, one, [1])).warnings)).toBe(true);
    for (const id of ['guided-backprop', 'deconvolution', 'guided-grad-cam']) {
      const of = (model: Uint8Array) => inspect(model).methods.find((method) => method.id === id)!.reason;
      expect(said(of(smooth)), id).toBe(true);
      expect(of(tinyNetwork()), id).toBeNull();
    }
  });

  it('an explainer says it of every image', async () => {
    const explainer = await createExplainer(readClassifier(smooth), { method: 'deconvolution' }, cpu);
    expect(said(explainer.notes)).toBe(true);
    await explainer.close();
  });
});
