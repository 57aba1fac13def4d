import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain } from '../testing/explain.ts';
import { tinyImages } from '../testing/network.ts';
import { tinyTransformer } from '../testing/transformer.ts';

// What Captum 0.8 gives in float64 for a transformer that reads its class token: test/parity/transformers/record_captum.py.

const recorded: Record<'Tanh' | 'Relu', Record<string, readonly number[]>> = JSON.parse(
  readFileSync(new URL('captum-transformer-vectors.json', import.meta.url), 'utf8'),
);

/** Captum's own float32 is up to 3e-5 of the largest value from its float64 here. */
const tolerance = 1e-4;

const path = { n_steps: 6, quadrature: 'riemann_trapezoid' };
const methods: Record<string, readonly [string, Readonly<Record<string, unknown>>]> = {
  Saliency: ['saliency', { abs: false }],
  InputXGradient: ['input-x-gradient', {}],
  GuidedBackprop: ['guided-backprop', {}],
  Deconvolution: ['deconvolution', {}],
  IntegratedGradients: ['integrated-gradients', path],
  DeepLift: ['deep-lift', {}],
  LayerActivation: ['layer-activation', {}],
  LayerGradientXActivation: ['layer-gradient-x-activation', {}],
  LayerDeepLift: ['layer-deep-lift', {}],
  LayerConductance: ['layer-conductance', path],
  InternalInfluence: ['internal-influence', path],
  ShapleyCAM: ['shapley-cam', { normalized: false }],
};

describe.each(['Tanh', 'Relu'] as const)('On a transformer with %s', (activation) => {
  const network = tinyTransformer(-1, activation);
  const cases = Object.keys(recorded[activation]).filter((call) => call !== 'scores');

  it.each(cases)('%s is what Captum gives', async (call) => {
    const [name, ...layers] = call.split(' ') as [string, ...string[]];
    const [method, parameters] = methods[name]!;
    const { attribution, logits } = await explain(
      network,
      { method, convention: method === 'shapley-cam' ? 'paper' : 'captum', parameters, layers },
      tinyImages(),
      [2, 0],
    );
    for (const [found, expected] of [
      [logits.data, recorded[activation].scores!],
      [attribution.data, recorded[activation][call]!],
    ] as const) {
      expect(found.length).toBe(expected.length);
      const largest = Math.max(...expected.map(Math.abs)) || 1;
      expect(Math.max(...expected.map((v, i) => Math.abs(found[i]! - v))) / largest).toBeLessThan(tolerance);
    }
  });
});
