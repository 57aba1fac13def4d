import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { modelAt, type RegisteredModel } from './registered-model.ts';

/** What is explained where nobody names a model: a network for photos. */
export const defaultModel = 'efficientnet-lite0';

const embedded = (name: string): string =>
  dirname(createRequire(import.meta.url).resolve(`@whylight/models/${name}/${name}.json`));

/** The network that knows drawn shapes, and nothing else: for tests and drawings. */
export const shapesModel: string = embedded('shapes');

/** Where the networks are that come with Whylight, the default first. */
export const embeddedModels: readonly string[] = [embedded(defaultModel), shapesModel];

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
   * Registers what `sources` hold: one path, or several sources. A directory gives every `.onnx` file in it and one level down. Of two models
   * with one name the first counts.
   *
   * @throws ModelNotFoundError when a source is not there. @throws InputError for a wrong manifest.
   */
  static async open(sources: string | readonly ModelSource[]): Promise<ModelRegistry> {
    const registry = new ModelRegistry();
    for (const source of typeof sources === 'string' ? [sources] : sources) {
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
    const model = await modelAt(absolute, name);
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
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const nested = await Promise.all(
    below.map(async ({ name }) => (await readdir(join(path, name))).map((file) => join(path, name, file))),
  );
  const own = entries.filter((entry) => entry.isFile()).map(({ name }) => join(path, name));
  return [...own, ...nested.flat()].filter((file) => file.endsWith('.onnx')).sort();
}
