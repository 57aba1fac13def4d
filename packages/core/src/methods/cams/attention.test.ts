import { expect, it } from 'vitest';
import { explain } from '../../testing/explain.ts';
import { tinyImages } from '../../testing/network.ts';
import { tinyTransformer } from '../../testing/transformer.ts';
import vectors from './attention-vectors.json' with { type: 'json' };

// Formulas written out in PyTorch, in float64: recorded by test/parity/transformers/record_attention.py.

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

it.each(
  vectors.calls.map((call) => [call.method, JSON.stringify(call.parameters), call.activation, call] as const),
)(
  '%s with %s on a transformer with %s is its formula',
  async (method, _, activation, { parameters, data }) => {
    const network = tinyTransformer(-1, activation as 'Tanh' | 'Relu');
    const spec = { method, parameters: { ...parameters, normalized: false } };
    const { attribution } = await explain(network, spec, tinyImages(), vectors.classes);
    const apart = largest(data.map((v, i) => v - attribution.data[i]!)) / largest(data);
    expect(apart).toBeLessThan(5e-6);
  },
);
