import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { InputError } from '@whylight/core';
import {
  digested,
  type FoundManifest,
  imagenet,
  type Label,
  labelsIn,
  type Manifest,
  manifestBeside,
  preprocessingSchema,
  presets,
  type Source,
} from '@whylight/core/preparation';
import { readText, readTextBeside } from './sources/text-beside.ts';

/** The manifest of the model at `path` (see `manifestBeside`). @throws InputError `invalid_model` */
export const findManifest = (path: string): FoundManifest =>
  manifestBeside((name) => readTextBeside(dirname(path), name), basename(path));

interface Decisive {
  readonly manifest: Manifest;
  /** Class names that are not from the model's own file. */
  readonly labels: readonly Label[] | null;
  readonly stated: unknown;
  /** Statements from other sources than the manifest and the model's own file. */
  readonly sources: readonly Source[];
}

/**
 * Digest of everything stated about a model beside its bytes: preprocessing, default layer, fixed inputs, class names.
 * If only a manifest states it, the digest equals that of earlier releases.
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

/** Reads class names from the user's file. @throws InputError `invalid_model` if it cannot be read or understood. */
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
