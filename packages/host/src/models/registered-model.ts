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
import {
  type DescribedModel,
  describe,
  type Found,
  type FoundManifest,
  foundIn,
  type Label,
  type Manifest,
  manifestName,
  metadataIn,
  parseManifest,
  type Source,
  statedIn,
} from '@whylight/core/preparation';
import { modelLimits } from './env.ts';
import { asOneFile, readModelFiles } from './files-beside.ts';
import { findManifest, manifestDigest, readLabels } from './manifest.ts';
import { findBeside } from './sources/beside.ts';
import { imagenetLabels } from './sources/imagenet-labels.ts';

export interface RegisteredModel extends DescribedModel {
  /** `sha256:<hex>` of the model's bytes, with what it keeps in files beside it merged in. */
  readonly digest: string;
  /** Empty for a model that is in memory only. */
  readonly path: string;
  /** `sha256:<hex>` of what is said of it beside its bytes; part of the cache key. */
  readonly preprocessingDigest: string;
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
  return registered(manifest, findBeside(path, folder, manifestName(basename(path))), {
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
  manifest: FoundManifest,
  found: Found,
  { name, sha256, path, read }: Held,
): RegisteredModel {
  const description = describe(manifest, found);
  const verified = async () => {
    const model = await read();
    const got = sha256Of(model.parts);
    if (got !== sha256)
      throw new InputError('invalid_model', `model ${name}: expected sha256 ${sha256}, got ${got}`);
    return model;
  };
  return {
    ...description,
    name,
    digest: `sha256:${sha256}`,
    path,
    limits: modelLimits(),
    preprocessingDigest: manifestDigest({
      ...{ manifest: description.manifest, stated: manifest.stated },
      labels: description.labelsFrom === 'metadata' ? null : description.labels,
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
