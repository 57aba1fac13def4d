import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../autodiff/differentiate.ts';
import { base, type Composite } from '../../autodiff/lrp/composite.ts';
import { relevanceRules } from '../../autodiff/lrp/index.ts';
import {
  alphaBeta,
  epsilon,
  flat,
  gamma,
  withoutBias,
  wSquare,
  zBox,
  zPlus,
} from '../../autodiff/lrp/linear-rules.ts';
import { type Knobs, type PresetName, preset } from '../../autodiff/lrp/presets.ts';
import type { LinearRule } from '../../autodiff/lrp/rule.ts';
import { createExplainer } from '../../explainer.ts';
import { readClassifier } from '../../model/classifier.ts';
import { mul } from '../../onnx/emit.ts';
import { Expression } from '../../onnx/expression.ts';
import { built } from '../../programs/built.ts';
import { float32, int64 } from '../../tensor.ts';
import { cpu } from '../../testing/ort.ts';

// LRP by composites and by single rules, held to zennit: test/parity/zennit/record.py says what zennit was told.

const rules = { epsilon, gamma, zPlus, alphaBeta, zBox, wSquare, flat };

/** A preset and what differs from its defaults, or one rule for all layers. */
interface Case extends Partial<Pick<Knobs, 'epsilon' | 'stabilizer'>> {
  readonly composite?: PresetName;
  readonly zero_params?: readonly ['bias'] | 'bias';
  readonly rule?: keyof typeof rules;
  readonly arguments?: readonly number[];
  readonly withoutBias?: true;
  /** How far zennit's own float32 is from what is recorded. */
  readonly error: number;
  readonly input: string;
  readonly layer: string;
}
interface Recorded {
  readonly zennit: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly images: string;
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly classes: number[];
        readonly layer: string;
        readonly one: string;
        readonly cases: readonly Case[];
      }
    >
  >;
}

const at = (name: string) => new URL(`zennit/${name}`, import.meta.url);
const recorded: Recorded = JSON.parse(readFileSync(at('recorded.json'), 'utf8'));
const decoded = (text: string) =>
  new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const images = float32([2, 3, 8, 8], decoded(recorded.images));
const modelOf = (name: string) => readClassifier(readFileSync(at(`${name}.onnx`)), { inputShape: [3, 8, 8] });

const largest = (values: Float32Array) => Math.max(...values.map(Math.abs));
/** The largest difference, of the largest value. */
const apart = (found: Float32Array, expected: Float32Array) =>
  largest(found.map((v, i) => v - expected[i]!)) / largest(expected);

/** Float32 in another order than zennit's; where zennit's own float32 is far from its float64, as far again. */
const tolerance = ({ error }: Case) => Math.max(1e-5, 3 * error);

const bound = (level: 0 | 1) => recorded.mean.map((mean, c) => (level - mean) / recorded.std[c]!);

function compositeOf({ composite, zero_params, rule, arguments: given = [], ...asked }: Case): Composite {
  if (composite)
    return preset(composite, {
      epsilon: 1e-6,
      stabilizer: 1e-6,
      gamma: 0.25,
      ...asked,
      zeroParams: zero_params ? 'bias' : 'none',
    });
  const make = rules[rule!] as (...given: readonly number[]) => LinearRule;
  const made = asked.withoutBias ? withoutBias(make(...given)) : make(...given);
  const to = ['convolution', 'dense'] as const;
  return [
    ...base(1e-6),
    ...(rule === 'zBox'
      ? [
          { to, first: true, rule: made },
          { to, rule: zPlus(1e-6) },
        ]
      : [{ to, rule: made }]),
  ];
}

/** The relevance of the images and of a layer. */
async function relevanceBy(name: string, composite: Composite) {
  const { classes, layer } = recorded.networks[name]!;
  const classifier = modelOf(name);
  const { g, image, logits, resolve } = classifier.inline((b) => b.input('image', 'float32', [-1, 3, 8, 8]));
  const nodes = [...g.nodes];
  const asked = new Expression(g, g.input('class_index', 'int64', [-1]));
  const chosen = asked.oneHot(classifier.classes).name;
  const limit = (end: 0 | 1) => new Expression(g, g.floats([3, 1, 1], bound(end)));
  const pixels = { low: limit(0), high: limit(1) };
  const found = differentiate(
    g,
    new Map([[logits, mul(g, chosen, logits)]]),
    [image, resolve(layer)],
    relevanceRules({ g, image, scores: logits, nodes }, composite, () => pixels),
  );
  const session = await cpu.load(built(g, { input: found[0]!, layer: found[1]!, logits }).bytes);
  const {
    input,
    layer: inside,
    logits: scores,
  } = await session.run({ image: images, class_index: int64([2], classes) });
  await session.close();
  return [input!, inside!, scores!].map(({ data }) => data as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
}

const titled = (cases: readonly Case[]) =>
  cases.map((c) => {
    const { input: _input, layer: _layer, error: _error, ...asked } = c;
    return [JSON.stringify(asked), c] as const;
  });

describe.each(Object.entries(recorded.networks))('zennit’s relevance of %s', (name, { cases }) => {
  it.each(titled(cases))('%s', async (_, c) => {
    const [input, layer] = await relevanceBy(name, compositeOf(c));
    expect(apart(input, decoded(c.input))).toBeLessThan(tolerance(c));
    expect(apart(layer, decoded(c.layer))).toBeLessThan(tolerance(c));
  });
});

describe('the method lrp', () => {
  const explained = async (name: string, parameters: Record<string, unknown>) => {
    const normalisation = { mean: recorded.mean, std: recorded.std };
    const explainer = await createExplainer(modelOf(name), { method: 'lrp', parameters, normalisation }, cpu);
    const { attribution, logits } = await explainer.attribute(images, recorded.networks[name]!.classes);
    await explainer.close();
    return [attribution.data, logits.data] as const;
  };

  it('has zennit’s relevance by its presets, bounds of pixels from mean and std', async () => {
    for (const c of recorded.networks.batch_norm!.cases.filter(({ composite }) => composite)) {
      const { composite, zero_params, epsilon, stabilizer } = c;
      const parameters = {
        composite,
        ...(zero_params && { zero_params: 'bias' }),
        ...(epsilon && { epsilon, stabilizer }),
      };
      const [found] = await explained('batch_norm', parameters);
      expect(apart(found, decoded(c.input)), JSON.stringify(parameters)).toBeLessThan(tolerance(c));
    }
  });

  it('begins with the logit: it is the logit times what a relevance of 1 comes to in zennit', async () => {
    const { one, classes } = recorded.networks.vgg!;
    const [found, logits] = await explained('vgg', {});
    const expected = decoded(one).map((v, i) => v * logits[(i < 192 ? 0 : 4) + classes[i < 192 ? 0 : 1]!]!);
    expect(apart(found, expected)).toBeLessThan(1e-5);
  });
});
