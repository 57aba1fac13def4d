import { z } from 'zod';
import { InputError } from '../errors.ts';
import { tasks } from '../model/task.ts';
import { fixedInputsSchema } from './fixed-inputs.ts';
import { type Label, labelsSchema } from './labels.ts';
import { presets } from './preprocessing.ts';
import { labelsIn, type ReadText } from './sources/beside.ts';
import { statedSchema } from './sources/stated.ts';

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
 * The manifest of a model whose file is called `file`: `<model>.json` beside it, or the entry with its file name in
 * `models.json` beside it. A `<model>.json` that is a list of names, or a map from index to name, is a manifest of class names only.
 *
 * @throws InputError `invalid_model` when a manifest is there and wrong.
 */
export function manifestBeside(readText: ReadText, file: string): FoundManifest {
  const given =
    manifestIn(jsonBeside(readText, manifestName(file))) ??
    entryOf(jsonBeside(readText, 'models.json'), file);
  const manifest = parseManifest(given ?? {}, file);
  const { labels } = manifest;
  const named = typeof labels === 'string' ? labelsBeside(readText, labels) : (labels ?? null);
  return { manifest, labels: named, stated: statedIn(given) };
}

/** What the manifest of the model in the file called `file` is called. */
export const manifestName = (file: string): string => `${file.replace(/(?<=.)\.[^.]*$/, '')}.json`;

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

function labelsBeside(readText: ReadText, name: string): Label[] {
  const text = readText(name);
  if (text === undefined)
    throw new InputError('invalid_model', `label file ${name} cannot be read: it is not beside the model`);
  return labelsIn(text, name);
}

const entryOf = (list: unknown, file: string): unknown =>
  Array.isArray(list) ? list.find((entry: { file?: unknown } | null) => entry?.file === file) : undefined;

function jsonBeside(readText: ReadText, name: string): unknown {
  const text = readText(name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('invalid_model', `${name} is not JSON`);
  }
}
