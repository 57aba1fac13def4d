import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  type GraphFile,
  InputError,
  type ModelFiles,
  type ScoreSpec,
  type Task,
  wholeFile,
} from '@whylight/core';
import { asOneFile, readModelFiles } from './files-beside.ts';
import type { Label } from './labels.ts';
import {
  type FoundManifest,
  findManifest,
  type Manifest,
  manifestDigest,
  manifestName,
  parseManifest,
  readLabels,
  statedIn,
} from './manifest.ts';
import { type Found, findBeside, foundIn } from './sources/beside.ts';
import { metadataIn } from './sources/file-metadata.ts';
import { imagenetLabels } from './sources/imagenet-labels.ts';
import type { Source } from './sources/put-together.ts';

export interface RegisteredModel {
  readonly name: string;
  /** `sha256:<hex>` of the model's bytes, with what it keeps in files beside it merged in. */
  readonly digest: string;
  /** Empty for a model that is in memory only. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Class names; their number need not be right (see `labelsFor`). */
  readonly labels: readonly Label[] | null;
  /** Who gave the names. */
  readonly labelsFrom: string | null;
  /** What is said of its preprocessing, by rank; the network itself says more (see `prepare`). */
  readonly sources: readonly Source[];
  /** What files beside it say and nobody here understands. */
  readonly notes: readonly string[];
  /** `sha256:<hex>` of what is said of it beside its bytes; part of the cache key. */
  readonly preprocessingDigest: string;
  /** What is explained in place of a class that the model scores, if anything is. */
  readonly score?: ScoreSpec | undefined;
  /** Whether photos may have another size than the file states. */
  readonly anySize?: boolean | undefined;
  /**
   * Reads the model with what it keeps in files beside it: one file, or where that would be too large its large weights
   * beside it.
   *
   * @throws InputError `invalid_model` when the bytes do not have the digest; see `readModelFiles`
   */
  file(): Promise<GraphFile>;
  /** The same for who needs one file. @throws InputError `model_too_large` too */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a user says of a model, which counts before all else. */
export interface Asked {
  readonly parts?: Source['parts'] | undefined;
  readonly preset?: Manifest['preset'] | undefined;
  /** A file of class names, or `imagenet` for those that come along. */
  readonly labels?: string | undefined;
  /** What inputs beside the image are fixed to, on top of the manifest's, and the output that scores classes. */
  readonly fixed_inputs?: Manifest['fixed_inputs'];
  readonly scores?: string | undefined;
  /** What the model decides, where its end does not tell. */
  readonly task?: Task | undefined;
  /** A number to explain in place of a class. */
  readonly score?: ScoreSpec | undefined;
}

/**
 * The model at `path`, by `givenName` if there is one. `folder` is where files are that say how to use it.
 *
 * @throws InputError `invalid_model` when its manifest, or a file beside it, is wrong
 */
export async function modelAt(
  path: string,
  givenName: string | undefined,
  folder: string = dirname(path),
): Promise<RegisteredModel> {
  const manifest = findManifest(path);
  const name = givenName ?? manifest.manifest.name ?? basename(path).replace(/\.onnx$/i, '');
  const sha256 = manifest.manifest.sha256 ?? (await digestAt(path));
  return registered(manifest, findBeside(path, folder, manifestName(path)), {
    ...{ name, sha256, path },
    read: () => readModelFiles(path),
  });
}

/** The model with what the user says of it. @throws InputError for a label file that cannot be read */
export function withAsked(model: RegisteredModel, asked: Asked): RegisteredModel {
  const { parts = {}, preset, labels, fixed_inputs, scores, task, score } = asked;
  const said = Object.entries(parts).filter(([, value]) => value !== undefined);
  const rest = [preset, labels, fixed_inputs, scores, ...(task ? [task] : []), ...(score ? [score] : [])];
  if (said.length === 0 && rest.every((value) => value === undefined)) return model;
  const option: Source = { from: 'option', parts: Object.fromEntries(said) };
  const sized = said.some(([part]) => ['size', 'resize', 'crop'].includes(part));
  return {
    ...model,
    manifest: {
      ...model.manifest,
      ...(preset !== undefined && { preset }),
      ...(scores !== undefined && { scores }),
      ...(task !== undefined && { task }),
      ...(fixed_inputs && { fixed_inputs: { ...model.manifest.fixed_inputs, ...fixed_inputs } }),
    },
    ...(labels !== undefined && { labels: namesAt(labels), labelsFrom: 'option' }),
    sources: said.length > 0 ? [option, ...model.sources] : model.sources,
    preprocessingDigest: `${model.preprocessingDigest} ${JSON.stringify([said, ...rest])}`,
    anySize: sized || model.anySize,
    score: score ?? model.score,
  };
}

const namesAt = (labels: string): readonly Label[] =>
  labels === 'imagenet' && !existsSync(labels) ? imagenetLabels() : readLabels(labels);

/** What the bytes have to be. Where they cannot be read, that is said when they are asked for. */
async function digestAt(path: string): Promise<string> {
  try {
    return sha256Of((await readModelFiles(path)).parts);
  } catch (error) {
    if (error instanceof InputError) return hashFile(path);
    throw error;
  }
}

/** SHA-256 of bytes one after another, as lower-case hex. */
export function sha256Of(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  // One update takes less than 2 GiB.
  for (const part of parts)
    for (let at = 0; at < part.length; at += 2 ** 30) hash.update(part.subarray(at, at + 2 ** 30));
  return hash.digest('hex');
}

/**
 * A model in memory.
 *
 * @throws InputError `invalid_model` when the manifest is wrong, or the bytes do not have the digest that it names
 */
export async function heldModel(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  given: unknown,
): Promise<RegisteredModel> {
  const manifest = parseManifest(given ?? {}, name);
  const labels = typeof manifest.labels === 'object' ? manifest.labels : null;
  const sha256 = manifest.sha256 ?? sha256Of([bytes]);
  const model = registered({ manifest, labels, stated: statedIn(given) }, foundIn(metadataIn(bytes)), {
    ...{ name, sha256, path: '' },
    read: async () => wholeFile(bytes),
  });
  await model.bytes();
  return model;
}

interface Held {
  readonly name: string;
  readonly sha256: string;
  readonly path: string;
  read(): Promise<ModelFiles>;
}

function registered(
  { manifest: given, labels, stated }: FoundManifest,
  found: Found,
  { name, sha256, path, read }: Held,
): RegisteredModel {
  const { preprocessing, task = found.task } = given;
  const manifest = task === undefined ? given : { ...given, task };
  const own: Source[] = preprocessing ? [{ from: 'manifest', parts: preprocessing }] : [];
  const named = labels ? { value: labels, from: 'manifest' } : found.labels;
  const verified = async () => {
    const model = await read();
    const got = sha256Of(model.parts);
    if (got !== sha256)
      throw new InputError('invalid_model', `model ${name}: expected sha256 ${sha256}, got ${got}`);
    return model;
  };
  return {
    name,
    digest: `sha256:${sha256}`,
    path,
    manifest,
    labels: named?.value ?? null,
    labelsFrom: named?.from ?? null,
    sources: [...own, ...found.sources],
    notes: found.notes,
    preprocessingDigest: manifestDigest({
      ...{ manifest, stated },
      labels: named && named.from !== 'metadata' ? named.value : null,
      sources: found.sources.filter(({ from }) => from !== 'metadata'),
    }),
    file: verified,
    bytes: async () => asOneFile(await verified()),
  };
}

/** SHA-256 of a file as lower-case hex. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
