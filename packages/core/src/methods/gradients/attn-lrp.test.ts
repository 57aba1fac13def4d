import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain } from '../../testing/explain.ts';
import { tinyImages } from '../../testing/network.ts';
import { tinyTransformer } from '../../testing/transformer.ts';

// AttnLRP of its authors' library, lxt 2.1, in float64: test/parity/transformers/record_lxt.py.

const recorded: Record<'Tanh' | 'Relu', readonly number[]> = JSON.parse(
  readFileSync(new URL('attn-lrp-vectors.json', import.meta.url), 'utf8'),
);

describe.each(['Tanh', 'Relu'] as const)('Relevance of a transformer with %s', (activation) => {
  it('is that of lxt', async () => {
    const { attribution } = await explain(
      tinyTransformer(-1, activation),
      { method: 'lrp', parameters: { composite: 'epsilon' } },
      tinyImages(),
      [2, 0],
    );
    const expected = recorded[activation];
    const largest = Math.max(...expected.map(Math.abs));
    const errors = expected.map((value, i) => Math.abs(attribution.data[i]! - value) / largest);
    expect(Math.max(...errors)).toBeLessThan(2e-5);
  });
});
