import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { InputError } from '@whylight/core';
import type { Label } from './labels.ts';
import {
  type FoundManifest,
  findManifest,
  type Manifest,
  manifestDigest,
  parseManifest,
} from './manifest.ts';

/** The network that comes with Whylight. */
export const embeddedModels: string = fileURLToPath(new URL('../../../../models/shapes', import.meta.url));

export interface RegisteredModel {
  readonly name: string;
  /** `sha256:<hex>` of the model's bytes. */
  readonly digest: string;
  /** Empty for a model that is in memory only. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly labels: readonly Label[] | null;
  /** `sha256:<hex>` of what the manifest adds to an answer; part of the cache key. */
  readonly preprocessingDigest: string;
  /** Whether the model came without a manifest, and its preprocessing is a guess. */
  readonly assumed: boolean;
  /** Whether photos may have another size than the file states. */
  readonly anySize?: boolean | undefined;
  /** Reads the model. @throws InputError `invalid_model` when the bytes do not have the digest. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A model that nobody registered. The message is safe to show. */
export class ModelNotFoundError extends Error {
  override readonly name = 'ModelNotFoundError';
}

/** Where models are: a `.onnx` file, with the name that it is to have or its own, or a directory of them. */
export type ModelSource = string | { readonly name: string; readonly path: string };

/** The models that a process knows, by name, digest or path. */
export class ModelRegistry {
  readonly #models: RegisteredModel[] = [];

  /**
   * Registers what `sources` hold; a directory gives every `.onnx` file in it and one level down. Of two models
   * with one name the first counts.
   *
   * @throws ModelNotFoundError when a source is not there. @throws InputError for a wrong manifest.
   */
  static async open(sources: readonly ModelSource[]): Promise<ModelRegistry> {
    const registry = new ModelRegistry();
    for (const source of sources) {
      const { path, name } = typeof source === 'string' ? { path: source, name: undefined } : source;
      for (const file of await modelFiles(path)) await registry.#register(file, name);
    }
    return registry;
  }

  /** The models that are given, and no others. */
  static of(models: readonly RegisteredModel[]): ModelRegistry {
    const registry = new ModelRegistry();
    registry.#models.push(...models);
    return registry;
  }

  list(): readonly RegisteredModel[] {
    return this.#models;
  }

  /**
   * The model called `wanted`: its name, its digest, or the path of a `.onnx` file, which is then registered.
   *
   * @throws ModelNotFoundError
   */
  async get(wanted: string): Promise<RegisteredModel> {
    const known = this.#models.find(({ name, digest }) => name === wanted || digest === wanted);
    if (known) return known;
    if (/\.onnx$/i.test(wanted)) return this.#register((await modelFiles(wanted))[0]!, undefined);
    const names = this.#models.map(({ name }) => name).join(', ') || 'none';
    throw new ModelNotFoundError(`no model is called ${wanted}; known: ${names}`);
  }

  async #register(path: string, name: string | undefined): Promise<RegisteredModel> {
    const absolute = resolve(path);
    const model = await describe(absolute, name);
    const known = this.#models.find((other) => other.path === absolute && other.name === model.name);
    if (known) return known;
    this.#models.push(model);
    return model;
  }
}

async function modelFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => {
    throw new ModelNotFoundError(`there is no model file ${basename(path)}`);
  });
  if (found.isFile()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const nested = await Promise.all(
    below.map(async ({ name }) => (await readdir(join(path, name))).map((file) => join(path, name, file))),
  );
  const own = entries.filter((entry) => entry.isFile()).map(({ name }) => join(path, name));
  return [...own, ...nested.flat()].filter((file) => file.endsWith('.onnx')).sort();
}

async function describe(path: string, givenName: string | undefined): Promise<RegisteredModel> {
  const found = await findManifest(path);
  const name = givenName ?? found.manifest.name ?? basename(path).replace(/\.onnx$/i, '');
  const sha256 = found.manifest.sha256 ?? (await hashFile(path));
  return registered(found, { name, sha256, path, read: () => readFile(path) });
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
  const assumed = (given as { preprocessing?: unknown } | null)?.preprocessing === undefined;
  const sha256 = manifest.sha256 ?? createHash('sha256').update(bytes).digest('hex');
  const model = registered(
    { manifest, labels, assumed },
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
      const got = createHash('sha256').update(bytes).digest('hex');
      if (got !== sha256)
        throw new InputError('invalid_model', `model ${name}: expected sha256 ${sha256}, got ${got}`);
      return bytes;
    },
  };
}

/** SHA-256 of a file as lower-case hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
