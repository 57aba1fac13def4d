import { describe, expect, it } from 'vitest';
import { modelLimits } from './env.ts';

describe('limits from the environment', () => {
  it('are those of the engine where nothing is said', () => {
    expect(modelLimits({})).toEqual({});
    expect(modelLimits({ WHYLIGHT_MODEL_BYTES: '' })).toEqual({});
  });

  it('are bytes of the file and of its weights, nodes and elements', () => {
    expect(modelLimits({ WHYLIGHT_MODEL_BYTES: '4000000000' })).toEqual({
      bytes: 4_000_000_000,
      weights: 4_000_000_000,
    });
    expect(modelLimits({ WHYLIGHT_MODEL_NODES: '7', WHYLIGHT_MODEL_ELEMENTS: '8' })).toEqual({
      nodes: 7,
      elements: 8,
    });
  });

  it.each(['0', '-1', '4GB', '1e9', '1.5', '9'.repeat(16)])('%s is refused by name', (text) => {
    expect(() => modelLimits({ WHYLIGHT_MODEL_NODES: text })).toThrow(
      `WHYLIGHT_MODEL_NODES: expected a whole number from 1 to 10^15 - 1, got "${text}"`,
    );
  });
});
