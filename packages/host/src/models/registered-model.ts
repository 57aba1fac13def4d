import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError } from '@whylight/core';
import { readModelFile } from './files-beside.ts';
import type { Label } from './labels.ts';
import {
  type FoundManifest,
  findManifest,
  type Manifest,
  manifestDigest,
  parseManifest,
  statedIn,
} from './manifest.ts';

export interface RegisteredModel {
  readonly name: string;
  /** `sha256:<hex>` of the model's bytes, with what it keeps in files beside it merged in. */
  readonly digest: string;
  /** Empty for a model that is in memory only. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly labels: readonly Label[] | null;
  /** `sha256:<hex>` of what the manifest adds to an answer; part of the cache key. */
  readonly preprocessingDigest: string;
  /** Whether the model came without a word on its preprocessing, and that is a guess. */
  readonly assumed: boolean;
  /** Whether photos may have another size than the file states. */
  readonly anySize?: boolean | undefined;
  /**
   * Reads the model as one file, with what it keeps in files beside it merged in.
   *
   * @throws InputError `invalid_model` when the bytes do not have the digest; see `readModelFile`
   */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The model at `path`, by `givenName` if there is one. @throws InputError `invalid_model` when its manifest is wrong */
export async function modelAt(path: string, givenName: string | undefined): Promise<RegisteredModel> {
  const found = await findManifest(path);
  const name = givenName ?? found.manifest.name ?? basename(path).replace(/\.onnx$/i, '');
  const sha256 = found.manifest.sha256 ?? (await digestAt(path));
  return registered(found, { name, sha256, path, read: () => readModelFile(path) });
}

/** What the bytes have to be. Where they cannot be read, that is said when they are asked for. */
async function digestAt(path: string): Promise<string> {
  try {
    return sha256Of(await readModelFile(path));
  } catch (error) {
    if (error instanceof InputError) return hashFile(path);
    throw error;
  }
}

/** SHA-256 as lower-case hex. */
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

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
  const sha256 = manifest.sha256 ?? sha256Of(bytes);
  const model = registered(
    { manifest, labels, ...statedIn(given) },
    { name, sha256, path: '', read: async () => bytes },
  );
  await model.bytes();
  return model;
}

interface Held {
  readonly name: string;
  readonly sha256: string;
  readonly path: string;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

function registered(found: FoundManifest, { name, sha256, path, read }: Held): RegisteredModel {
  return {
    name,
    digest: `sha256:${sha256}`,
    path,
    manifest: found.manifest,
    labels: found.labels,
    assumed: found.assumed,
    preprocessingDigest: manifestDigest(found),
    async bytes() {
      const bytes = await read();
      const got = sha256Of(bytes);
      if (got !== sha256)
        throw new InputError('invalid_model', `model ${name}: expected sha256 ${sha256}, got ${got}`);
      return bytes;
    },
  };
}

/** SHA-256 of a file as lower-case hex. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
