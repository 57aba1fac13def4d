import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { modelAt, type RegisteredModel } from './registered-model.ts';

/** The default model: a network for photos. */
export const defaultModel = 'efficientnet-lite0';

const embedded = (name: string): string =>
  dirname(createRequire(import.meta.url).resolve(`@whylight/models/${name}/${name}.json`));

/** A network that knows ten kinds of drawn shapes only. It is for tests and for `evaluate --drawings`. */
export const shapesModel: string = embedded('shapes');

/** The files of the networks that come with Whylight, the default first. */
export const embeddedModels: readonly string[] = [embedded(defaultModel), shapesModel];

/** Nobody has registered this model. The message may be shown to anyone. */
export class ModelNotFoundError extends Error {
  override readonly name = 'ModelNotFoundError';
}

/** A `.onnx` file, with the name of the model if it is not the file's name, or a directory of such files. */
export type ModelSource = string | { readonly name: string; readonly path: string };

/** The models of a process, by name, digest or path. */
export class ModelRegistry {
  readonly #models: RegisteredModel[] = [];

  /**
   * Registers the models in `sources`: one path, or several sources. Of a directory it registers every `.onnx` file in it and
   * one level down. If two models have the same name, it takes the first.
   *
   * @throws ModelNotFoundError if a source does not exist. @throws InputError if a manifest is invalid.
   */
  static async open(sources: string | readonly ModelSource[]): Promise<ModelRegistry> {
    const registry = new ModelRegistry();
    for (const source of typeof sources === 'string' ? [sources] : sources) {
      const { path, name } = typeof source === 'string' ? { path: source, name: undefined } : source;
      for (const file of await modelFiles(path)) await registry.#register(file, name);
    }
    return registry;
  }

  /** Creates a registry of these models and no others. */
  static of(models: readonly RegisteredModel[]): ModelRegistry {
    const registry = new ModelRegistry();
    registry.#models.push(...models);
    return registry;
  }

  list(): readonly RegisteredModel[] {
    return this.#models;
  }

  /**
   * Finds a model by its name, its digest, or the path of a `.onnx` file, which it then registers.
   *
   * @throws ModelNotFoundError
   */
  async get(wanted: string): Promise<RegisteredModel> {
    const known = this.#models.find(({ name, digest }) => name === wanted || digest === wanted);
    if (known) return known;
    if (/\.onnx$/i.test(wanted)) return this.#register((await modelFiles(wanted))[0]!, undefined);
    const names = this.#models.map(({ name }) => name).join(', ') || 'none';
    throw new ModelNotFoundError(
      `model ${wanted}: not found; expected one of ${names}, or the path of an .onnx file`,
    );
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
    throw new ModelNotFoundError(`model file ${basename(path)}: not found; give the path of an .onnx file`);
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
