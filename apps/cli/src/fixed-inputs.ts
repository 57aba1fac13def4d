import type { FixedElements } from '@whylight/host';
import { UsageError } from './failure.ts';
import { readTensor } from './files.ts';
import type { Parameters } from './options.ts';

/** Reads `--input NAME=VALUE` for manifests: a number for a whole input, or a tensor. @throws UsageError, InputError */
export async function fixedElements(input: Parameters): Promise<Record<string, FixedElements>> {
  const inputs: [name: string, value: FixedElements][] = [];
  for (const [name, text] of Object.entries(input)) {
    if (!/\.npy$/i.test(text) && Number.isNaN(Number(text)))
      throw new UsageError(`--input ${name}: expected a number or a .npy file, got ${text}`);
    inputs.push([name, /\.npy$/i.test(text) ? await elementsIn(text) : Number(text)]);
  }
  return Object.fromEntries(inputs);
}

async function elementsIn(path: string): Promise<FixedElements> {
  const { dtype, shape, data } = await readTensor(path);
  return { dtype, shape: [...shape], data: Array.from(data as ArrayLike<number | bigint>, Number) };
}
