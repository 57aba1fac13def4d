import { z } from 'zod';
import { InputError } from '../errors.ts';
import { tasks } from '../model/task.ts';
import { fixedInputsSchema } from './fixed-inputs.ts';
import { type Label, labelsSchema } from './labels.ts';
import { presets } from './preprocessing.ts';
import { labelsIn, type ReadText } from './sources/beside.ts';
import { statedSchema } from './sources/stated.ts';

/** A file beside a model that says how to use the model. Members that we do not know are ignored. */
export const manifestSchema = z.looseObject({
  name: z.string().min(1).optional(),
  /** The model's subject, in a few words for the person who chooses a model. */
  about: z.string().optional(),
  file: z.string().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')
    .optional(),
  /** The preprocessing of a photo to the input, as far as it is stated. */
  preprocessing: statedSchema.optional(),
  /** Preprocessing by name, for the parts that nothing else states. */
  preset: z.enum(Object.keys(presets) as [PresetName, ...PresetName[]]).optional(),
  /** The layer that CAM methods explain if the request names no layer. Ignored if the model has no such tensor. */
  cam_tensor: z.string().optional(),
  /** Fixed values of inputs other than the image: one number for all of it, its elements in order, or with a shape. */
  fixed_inputs: fixedInputsSchema.optional(),
  /** The output that scores classes. Default: the likeliest output. */
  scores: z.string().optional(),
  /** The model's task, if its file does not tell: logits of sigmoids look like those of a softmax. */
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
 * Reads the manifest of a model whose file is called `file`: `<model>.json` beside it, or the entry with its file name
 * in `models.json`. If `<model>.json` is a list of names, or a map from index to name, it has class names only.
 *
 * @throws InputError `invalid_model` if a manifest exists and is wrong.
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

/** Returns the name of the manifest for the model in the file called `file`. */
export const manifestName = (file: string): string => `${file.replace(/(?<=.)\.[^.]*$/, '')}.json`;

function manifestIn(given: unknown): unknown {
  const names = labelsSchema.safeParse(given).data;
  return names?.length ? { labels: given } : given;
}

/** Returns the preprocessing that a manifest states, as it is written there. */
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
