import { conventions } from '@whylight/contract';
import { InputError } from '@whylight/core';
import { z } from 'zod';
import { UsageError } from './failure.ts';
import { readBytes } from './files.ts';

/** -1 is the predicted class. */
const target = z.union([
  z.int(),
  z.array(z.int()).min(1),
  z.literal('predicted').transform(() => -1),
  z
    .string()
    .regex(/^\d+(,\d+)*$/)
    .transform((text) => text.split(',').map(Number)),
]);

/** One tensor to explain. Paths are relative to the working directory. */
const jobSchema = z.strictObject({
  model: z.string(),
  tensor: z.string(),
  method: z.string(),
  target,
  layers: z.array(z.string()).nullish(),
  params: z.record(z.string(), z.unknown()).nullish(),
  convention: z.enum(conventions).nullish(),
  aux: z.record(z.string(), z.string()).nullish(),
  inputs: z.record(z.string(), z.coerce.string()).nullish(),
  scores: z.string().nullish(),
  out: z.string(),
});
export type AttributionJob = z.output<typeof jobSchema>;

/** Reads `--jobs FILE.json`. @throws UsageError that names the job and the member at fault. */
export async function readJobs(path: string): Promise<AttributionJob[]> {
  const text = new TextDecoder().decode(await readBytes(path));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UsageError(`${path} is not JSON`);
  }
  const parsed = z.array(jobSchema).safeParse(json);
  if (parsed.success) return parsed.data;
  const { path: where, message } = parsed.error.issues[0]!;
  throw new UsageError(`${path}: job ${where.join('.') || 'list'}: ${message}`);
}

/** A target for each of `count` rows: one for all where only one is given. */
export function targetsFor(asked: AttributionJob['target'], count: number): number[] {
  const list = [asked].flat();
  const wrong = list.find((index) => index < -1);
  if (wrong !== undefined)
    throw new InputError('target_out_of_range', `target: expected a class index from 0 on, got ${wrong}`);
  return list.length === 1 ? Array.from({ length: count }, () => list[0]!) : list;
}
