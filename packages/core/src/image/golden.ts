// biome-ignore-all lint/correctness/noNodejsModules: read by tests only, which run in Node
// biome-ignore-all lint/style/noProcessEnv: where the reference folder lies is the tester's to say
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readNpy } from '../npy.ts';
import type { Tensor } from '../tensor.ts';

/**
 * For tests: the pictures that the real libraries drew, from the reference folder beside the repository (or
 * WHYLIGHT_SHARED); null if the folder is missing.
 */
const folder = resolve(process.env.WHYLIGHT_SHARED ?? resolve(import.meta.dirname, '../../../../../shared'));
const file = resolve(folder, 'goldens/tiny/golden.json');

/** Reads an array recorded on a real network and photo, such as 'inputs/both.rgb'. */
export const realGolden = (name: string): Tensor =>
  readNpy(readFileSync(resolve(folder, `goldens/real/${name}.npy`)));
export const hasRealGoldens = existsSync(resolve(folder, 'goldens/real'));

export interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const golden: Record<string, GoldenArray> | null = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8')).visual
  : null;

if (golden === null)
  console.warn('no reference folder: comparisons with recorded library output are skipped');
