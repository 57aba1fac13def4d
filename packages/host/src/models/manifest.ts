import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { type ClassifierOptions, InputError, tasks } from '@whylight/core';
import { z } from 'zod';
import { type Label, labelsSchema, parseLabels } from './labels.ts';
import { imagenet, inputShapeOf, preprocessingSchema } from './preprocessing.ts';

const elementsSchema = z.union([z.number(), z.array(z.number())]);

/** By the input's name, which may be any: `z.record` would drop one called `__proto__`. */
const fixedInputsSchema = z
  .custom<Readonly<Record<string, z.infer<typeof elementsSchema>>>>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    { message: 'expected an object', abort: true },
  )
  .superRefine((inputs, context) => {
    for (const [name, given] of Object.entries(inputs))
      if (!elementsSchema.safeParse(given).success)
        context.addIssue({ code: 'custom', path: [name], message: 'expected a number or a list of numbers' });
  });

/** What stands beside a model and says how to use it. Members that we do not know are left alone. */
export const manifestSchema = z.looseObject({
  name: z.string().min(1).optional(),
  /** What the model knows, in a few words for whoever chooses one. */
  about: z.string().optional(),
  file: z.string().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')
    .optional(),
  preprocessing: preprocessingSchema.default(imagenet),
  /** The layer that CAM methods explain when none is asked for. Left alone when the model has no such tensor. */
  cam_tensor: z.string().optional(),
  /** What inputs beside the image are fixed to: a number for all of one, or its elements in order. */
  fixed_inputs: fixedInputsSchema.optional(),
  /** The output that scores classes. Default: the likeliest to. */
  scores: z.string().optional(),
  /** What the model is for, where its file does not tell: logits of sigmoids look like those of a softmax. */
  task: z.enum(tasks).optional(),
  /** Class names, or the file beside the manifest that has them (CSV or JSON). */
  labels: z.union([z.string(), labelsSchema]).optional(),
  licence: z.string().optional(),
  origin: z.string().optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface FoundManifest {
  readonly manifest: Manifest;
  readonly labels: readonly Label[] | null;
  /** Whether nothing said how the input is to be prepared, and ImageNet's preprocessing is a guess. */
  readonly assumed: boolean;
}

/**
 * The manifest of the model at `path`: `<model>.json` beside it, or the entry with its file name in `models.json`
 * beside it. What they do not say of preprocessing is assumed: ImageNet's.
 *
 * @throws InputError `invalid_model` when a manifest is there and wrong.
 */
export async function findManifest(path: string): Promise<FoundManifest> {
  const file = basename(path);
  const own = `${path.slice(0, -extname(path).length)}.json`;
  const given = (await readJson(own)) ?? entryOf(await readJson(join(dirname(path), 'models.json')), file);
  const manifest = parseManifest(given ?? {}, file);
  return { manifest, labels: await labelsOf(manifest, dirname(path)), assumed: isAssumed(given) };
}

/** Whether a manifest says nothing of preprocessing. */
export const isAssumed = (given: unknown): boolean =>
  (given as { preprocessing?: unknown } | null | undefined)?.preprocessing === undefined;

/** @throws InputError `invalid_model` that names the member and what was expected. */
export function parseManifest(given: unknown, file: string): Manifest {
  const parsed = manifestSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InputError('invalid_model', `manifest of ${file}: ${issue.path.join('.')}: ${issue.message}`);
}

/**
 * How a model is read: what its manifest fixes, and the size of its input where the file leaves that open. `shape` is
 * asked for in place of the manifest's.
 */
export function readingOf(
  { manifest, labels, assumed }: Pick<FoundManifest, 'manifest' | 'labels' | 'assumed'>,
  shape: readonly number[] | undefined = assumed ? undefined : inputShapeOf(manifest.preprocessing),
): ClassifierOptions {
  return {
    inputShape: shape,
    inputs: manifest.fixed_inputs,
    output: manifest.scores,
    task: manifest.task,
    labels: labels?.length,
  };
}

/** Digest of all that a manifest adds to an answer: preprocessing, default layer, fixed inputs and class names. */
export function manifestDigest({ manifest, labels }: Pick<FoundManifest, 'manifest' | 'labels'>): string {
  const { preprocessing, cam_tensor = null, fixed_inputs, scores, task } = manifest;
  const said = task === undefined ? [] : [task];
  const reading = fixed_inputs || scores || task ? [fixed_inputs ?? null, scores ?? null, ...said] : [];
  const decisive = [preprocessing, cam_tensor, labels, ...reading];
  return `sha256:${createHash('sha256').update(JSON.stringify(decisive)).digest('hex')}`;
}

async function labelsOf({ labels }: Manifest, directory: string): Promise<readonly Label[] | null> {
  return typeof labels === 'string' ? readLabels(join(directory, labels)) : (labels ?? null);
}

/** Class names from a CSV or JSON file. @throws InputError `invalid_model` when it cannot be read or understood. */
export async function readLabels(path: string): Promise<Label[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new InputError('invalid_model', `label file ${basename(path)} cannot be read`);
  });
  return parseLabels(text, extname(path).toLowerCase() === '.csv' ? 'csv' : 'json');
}

const entryOf = (list: unknown, file: string): unknown =>
  Array.isArray(list) ? list.find((entry: { file?: unknown } | null) => entry?.file === file) : undefined;

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('invalid_model', `${basename(path)} is not JSON`);
  }
}
