import { expect, it } from 'vitest';
import { fusedNetworks } from './testing/fused-networks.ts';
import { menagerie } from './testing/menagerie.ts';
import { damaged } from './testing/mutations.ts';
import { outcomeOf } from './testing/outcome.ts';

// A million and more, and pieces of real networks: node packages/core/src/testing/fuzz/run.ts

const models = menagerie();
const fused = fusedNetworks();

it('the models themselves are explained', () => {
  expect([...models, ...fused].map((model) => outcomeOf(model, 0))).toEqual(
    [...models, ...fused].map(() => 'explained'),
  );
});

it.each([
  ['three thousand damaged models', models, 3000],
  ['two thousand damaged models as ONNX Runtime optimises them', fused, 2000],
] as const)(
  '%s are each read or refused, and nothing else',
  (_, networks, times) => {
    const counts = { refused: 0, read: 0, explained: 0 };
    for (let seed = 0; seed < times; seed++) {
      try {
        counts[outcomeOf(damaged(networks, seed), seed)]++;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // Or the damage would not get past the reader.
    expect(counts.read + counts.explained).toBeGreaterThan(times / 10);
    expect(counts.explained).toBeGreaterThan(times / 150);
    expect(counts.refused).toBeGreaterThan(times / 3);
  },
  60_000,
);
