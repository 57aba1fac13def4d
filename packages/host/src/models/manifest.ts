import { createHash } from 'node:crypto';
import { basename, dirname, extname } from 'node:path';
import { InputError, tasks } from '@whylight/core';
import { z } from 'zod';
import { fixedInputsSchema } from './fixed-inputs.ts';
import { type Label, labelsSchema } from './labels.ts';
import { digested } from './older-preprocessing.ts';
import { imagenet, preprocessingSchema, presets } from './preprocessing.ts';
import { labelsIn } from './sources/beside.ts';
import type { Source } from './sources/put-together.ts';
import { statedSchema } from './sources/stated.ts';
import { readText, readTextBeside } from './sources/text-beside.ts';

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
  /** How the input is made of a photo, as far as it is said. */
  preprocessing: statedSchema.optional(),
  /** Named preprocessing, for what nothing else states. */
  preset: z.enum(Object.keys(presets) as [PresetName, ...PresetName[]]).optional(),
  /** The layer that CAM methods explain when none is asked for. Left alone when the model has no such tensor. */
  cam_tensor: z.string().optional(),
  /** What inputs beside the image are fixed to: a number for all of one, its elements in order, or with their shape. */
  fixed_inputs: fixedInputsSchema.optional(),
  /** The output that scores classes. Default: the likeliest to. */
  scores: z.string().optional(),
  /** What the model is for, where its file does not tell: logits of sigmoids look like those of a softmax. */
  task: z.enum(tasks).optional(),
  /** Class names, or the file beside the manifest that has them. */
  labels: z.union([z.string(), labelsSchema]).optional(),
  licence: z.string().optional(),
  origin: z.string().optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
type PresetName = keyof typeof presets;

export interface FoundManifest {
  readonly manifest: Manifest;
  readonly labels: readonly Label[] | null;
  /** The manifest's preprocessing as it is written there. */
  readonly stated: unknown;
}

/**
 * The manifest of the model at `path`: `<model>.json` beside it, or the entry with its file name in `models.json`
 * beside it. A `<model>.json` that is a list of names, or a map from index to name, is a manifest of class names only.
 *
 * @throws InputError `invalid_model` when a manifest is there and wrong.
 */
export function findManifest(path: string): FoundManifest {
  const folder = dirname(path);
  const file = basename(path);
  const given =
    manifestIn(jsonBeside(folder, manifestName(path))) ?? entryOf(jsonBeside(folder, 'models.json'), file);
  const manifest = parseManifest(given ?? {}, file);
  const { labels } = manifest;
  const named = typeof labels === 'string' ? labelsBeside(folder, labels) : (labels ?? null);
  return { manifest, labels: named, stated: statedIn(given) };
}

/** What the manifest of the model at `path` is called. */
export const manifestName = (path: string): string => `${basename(path, extname(path))}.json`;

function manifestIn(given: unknown): unknown {
  const names = labelsSchema.safeParse(given).data;
  return names?.length ? { labels: given } : given;
}

/** What a manifest says of preprocessing, as it is written there. */
export const statedIn = (given: unknown): unknown =>
  (given as { preprocessing?: unknown } | null | undefined)?.preprocessing;

/** @throws InputError `invalid_model` that names the member and what was expected. */
export function parseManifest(given: unknown, file: string): Manifest {
  const parsed = manifestSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InputError('invalid_model', `manifest of ${file}: ${issue.path.join('.')}: ${issue.message}`);
}

interface Decisive {
  readonly manifest: Manifest;
  /** Names that do not stand in the model's own file. */
  readonly labels: readonly Label[] | null;
  readonly stated: unknown;
  /** What others than the manifest say, and the model's own file does not. */
  readonly sources: readonly Source[];
}

/**
 * Digest of all that is said about a model beside its bytes: preprocessing, default layer, fixed inputs and class names.
 * Where a manifest alone says it, it is the digest that earlier releases made.
 */
export function manifestDigest({ manifest, labels, stated, sources }: Decisive): string {
  const { cam_tensor = null, fixed_inputs, scores, task, preset } = manifest;
  const said = task === undefined ? [] : [task];
  const reading = fixed_inputs || scores || task ? [fixed_inputs ?? null, scores ?? null, ...said] : [];
  const bare = stated === undefined && sources.length === 0;
  const known = preset && bare ? presets[preset] : stated;
  const more = sources.length > 0 || (preset && !bare) ? { sources, preset: preset ?? null } : undefined;
  const whole = known === undefined ? imagenet : preprocessingSchema.safeParse(known).data;
  const decisive = [
    whole ? digested(known, whole) : known,
    cam_tensor,
    labels,
    ...reading,
    ...(more ? [more] : []),
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(decisive)).digest('hex')}`;
}

function labelsBeside(folder: string, name: string): Label[] {
  const text = readTextBeside(folder, name);
  if (text === undefined)
    throw new InputError('invalid_model', `label file ${name} cannot be read: it is not beside the model`);
  return labelsIn(text, name);
}

/** Class names from a file that the user names. @throws InputError `invalid_model` when it cannot be read or understood. */
export function readLabels(path: string): Label[] {
  const name = basename(path);
  let text: string;
  try {
    text = readText(path, name);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? ': there is no such file' : '';
    throw new InputError('invalid_model', `label file ${name} cannot be read${why}`);
  }
  return labelsIn(text, name);
}

const entryOf = (list: unknown, file: string): unknown =>
  Array.isArray(list) ? list.find((entry: { file?: unknown } | null) => entry?.file === file) : undefined;

function jsonBeside(folder: string, name: string): unknown {
  const text = readTextBeside(folder, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('invalid_model', `${name} is not JSON`);
  }
}
