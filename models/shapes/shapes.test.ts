import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { measure, modelFile } from './accuracy.ts';
import { firstTrainingSeed, kinds } from './draw.ts';
import manifest from './shapes.json' with { type: 'json' };

const bytes = readFileSync(modelFile);

test('the manifest describes the file beside it', () => {
  expect(manifest.bytes).toBe(bytes.length);
  expect(manifest.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(manifest.labels).toEqual(kinds.map(({ en, zh }) => ({ en, zh })));
});

test('the file is at most 4 MB and holds no path of the machine that made it', () => {
  expect(bytes.length).toBeLessThanOrEqual(4_000_000);
  expect(bytes.toString('latin1')).not.toMatch(/\/(home|root|tmp|usr|work)\/|\.py/);
});

test('the accuracy in the manifest was measured on drawings outside training', () => {
  expect(manifest.accuracy.seeds[1]).toBeLessThan(firstTrainingSeed);
});

test('on 200 drawings that it never saw the network does as well as its manifest says', async () => {
  const { right, confusion } = await measure(500_000, 200);
  const expected = manifest.accuracy.top1;
  // Four standard deviations of a share among 200.
  expect(right / 200).toBeGreaterThan(expected - 4 * Math.sqrt((expected * (1 - expected)) / 200));
  expect(confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(200);
});
