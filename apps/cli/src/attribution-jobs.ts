import { conventions, recordOf } from '@whylight/contract';
import { InputError, parseTarget, type Target } from '@whylight/core';
import { z } from 'zod';
import { UsageError } from './failure.ts';
import { readBytes } from './files.ts';
import { type AskedRegion, parseRegion } from './regions.ts';
import { expectedScore, isScore, type Score } from './scores.ts';

/** Text such as `predicted`, `281-282` or `1,0,2`: a target for all rows, or one for each. */
const written = z.string().transform((text, context): Target[] => {
  const targets = text.split(',').map(parseTarget);
  if (targets.every((target) => target !== undefined)) return targets;
  context.addIssue('expected class indices, predicted, or sums such as 281-282');
  return z.NEVER;
});

/** -1 is the predicted class. */
const target = z.union([
  z.int().transform((index): Target[] => [index]),
  z
    .array(z.union([z.int().transform((index): Target[] => [index]), written]))
    .min(1)
    .transform((rows) => rows.flat()),
  written,
]);

/** As `--region` writes it. */
const region = z.string().transform((text, context): AskedRegion => {
  try {
    return parseRegion(text);
  } catch (error) {
    context.addIssue((error as Error).message);
    return z.NEVER;
  }
});

/** What inputs are fixed to, as `--input` writes it: a number or the name of a file. */
const asText = (inputs: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]));

/** One tensor to explain. Paths are relative to the working directory. */
const jobSchema = z
  .strictObject({
    model: z.string(),
    tensor: z.string(),
    method: z.string(),
    target,
    layers: z.array(z.string()).nullish(),
    params: recordOf(z.string(), z.unknown()).nullish(),
    convention: z.enum(conventions).nullish(),
    aux: recordOf(z.string(), z.string()).nullish(),
    inputs: recordOf(z.string(), z.unknown()).transform(asText).nullish(),
    output_name: z.string().nullish(),
    /** The older name of `output_name`. */
    scores: z.string().nullish(),
    score: z.custom<Score>(isScore, expectedScore).nullish(),
    region: region.nullish(),
    over: z.enum(['sum', 'mean']).nullish(),
    out: z.string(),
  })
  .transform(({ params, ...job }) => ({ ...job, parameters: params }));
export type AttributionJob = z.output<typeof jobSchema>;

/** Reads `--jobs FILE.json`. @throws UsageError that names the job and the member at fault. */
export async function readJobs(path: string): Promise<AttributionJob[]> {
  const text = new TextDecoder().decode(await readBytes(path));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UsageError(`${path}: expected JSON`);
  }
  const parsed = z.array(jobSchema).safeParse(json);
  if (parsed.success) return parsed.data;
  const { path: where, message } = parsed.error.issues[0]!;
  throw new UsageError(`${path}: job ${where.join('.') || 'list'}: ${message}`);
}

/** A target for each of `count` rows: one for all where only one is given. */
export function targetsFor(asked: AttributionJob['target'], count: number): Target[] {
  const wrong = asked.find((target) => typeof target === 'number' && target < -1);
  if (wrong !== undefined)
    throw new InputError('target_out_of_range', `target: expected a class index from 0 on, got ${wrong}`);
  return asked.length === 1 ? Array.from({ length: count }, () => asked[0]!) : [...asked];
}
