import { expect, it } from 'vitest';
import { menagerie } from './testing/menagerie.ts';
import { damaged } from './testing/mutations.ts';
import { outcomeOf } from './testing/outcome.ts';

// A million and more, and pieces of real networks: node packages/core/src/testing/fuzz/run.ts

const models = menagerie();

it('the models themselves are explained', () => {
  expect(models.map((model) => outcomeOf(model, 0))).toEqual(models.map(() => 'explained'));
});

it('three thousand damaged models are each read or refused, and nothing else', () => {
  const counts = { refused: 0, read: 0, explained: 0 };
  for (let seed = 0; seed < 3000; seed++) {
    try {
      counts[outcomeOf(damaged(models, seed), seed)]++;
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(counts.read + counts.explained).toBeGreaterThan(300); // or the damage would not get past the reader
  expect(counts.explained).toBeGreaterThan(20);
  expect(counts.refused).toBeGreaterThan(1000);
}, 60_000);
