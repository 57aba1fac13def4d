import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '@whylight/core';
import { type Label, type Manifest, parseManifest, statedParts } from '@whylight/core/preparation';
import { download } from './download.ts';
import { storeDirectory } from './env.ts';
import { asOneFile, readModelFiles } from './files-beside.ts';
import { readLabels } from './manifest.ts';
import { type Asked, modelAt, type RegisteredModel, sha256Of, withAsked } from './registered-model.ts';
import { embeddedModels, ModelNotFoundError, ModelRegistry } from './registry.ts';
import { readZoo, type Zoo } from './zoo.ts';

export interface AddOptions extends Asked {
  /** The name of the model. Default: the name in the manifest, else the file's name. */
  readonly name?: string | undefined;
}

export interface PullOptions {
  /** The URL to fetch from, in place of the one in the index. Size and SHA-256 must be those of the index. */
  readonly url?: string | undefined;
  readonly labels?: string | undefined;
  readonly onProgress?: ((received: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The user's models: one directory per model, named by the SHA-256 of its bytes. */
export class ModelStore {
  readonly directory: string;
  readonly #zoo: Zoo | undefined;

  constructor(directory: string = storeDirectory(), zoo?: Zoo) {
    this.directory = directory;
    this.#zoo = zoo;
  }

  async registry(): Promise<ModelRegistry> {
    await mkdir(this.directory, { recursive: true });
    return ModelRegistry.open([this.directory]);
  }

  /**
   * Copies the model at `path` into the store as one file, with a manifest. If the store has the same bytes under the same
   * name, the new manifest replaces the old one.
   *
   * @throws InputError `invalid_model` for a wrong manifest, digest or label file, a name that another model has (an
   * embedded one too), or a model that has another name.
   */
  async add(path: string, options: AddOptions = {}): Promise<RegisteredModel> {
    const file = basename(path);
    const found = withAsked(
      await modelAt(path, options.name).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT'
          ? new ModelNotFoundError(`model file ${file}: not found; give the path of an .onnx file`)
          : error;
      }),
      options,
    );
    const { manifest, labels, labelsFrom } = found;
    return this.#publish(found.name, async (staged) => {
      const bytes = asOneFile(await readModelFiles(path));
      const sha256 = sha256Of([bytes]);
      await writeFile(staged, bytes);
      if (manifest.sha256 && manifest.sha256 !== sha256)
        throw new InputError(
          'invalid_model',
          `model ${file}: expected sha256 ${manifest.sha256}, got ${sha256}`,
        );
      // Parts that nobody states are left out: they depend on the network. Statements of the file stay in the file.
      const preprocessing = statedParts(found);
      return {
        ...manifest,
        sha256,
        ...(Object.keys(preprocessing).length > 0 && { preprocessing }),
        ...(labels && labelsFrom !== 'metadata' ? { labels: [...labels] } : {}),
      };
    });
  }

  /**
   * Downloads a model of the index into the store.
   *
   * @throws ModelNotFoundError if the index does not have the name. @throws DownloadError
   */
  async pull(name: string, { url, labels, ...watch }: PullOptions = {}): Promise<RegisteredModel> {
    const zoo = this.#zoo ?? (await readZoo());
    const entry = zoo.models.find((model) => model.name === name);
    if (!entry) {
      const names = zoo.models.map((model) => model.name).join(', ');
      throw new ModelNotFoundError(`model ${name}: not in the index; expected one of ${names}`);
    }
    const { bytes, sha256, path, preprocessing } = entry;
    const classes: readonly Label[] | undefined = labels ? await readLabels(labels) : undefined;
    return this.#publish(name, async (staged) => {
      const from = url ?? new URL(path, zoo.base).href;
      await download(staged, { url: from, bytes, sha256, ...watch });
      const manifest = parseManifest(preprocessing ? { preprocessing } : {}, name);
      const about = { sha256, licence: zoo.licence, origin: from };
      return { ...manifest, ...about, ...(classes ? { labels: [...classes] } : {}) };
    });
  }

  /** Removes the model called `name`. @throws ModelNotFoundError */
  async remove(name: string): Promise<void> {
    const known = (await this.registry()).list();
    const model = known.find((one) => one.name === name);
    if (!model)
      throw new ModelNotFoundError(
        `model ${name}: not registered; registered models: ${known.map((one) => one.name).join(', ') || 'none'}`,
      );
    await rm(join(this.directory, digestOf(model)), { recursive: true, force: true });
  }

  /** Lets `prepare` fill a hidden directory, then moves it into its place, so that nobody sees half a model. */
  async #publish(
    name: string,
    prepare: (staged: string) => Promise<Partial<Manifest>>,
  ): Promise<RegisteredModel> {
    if (!/^[\w][\w.+@-]{0,99}$/.test(name))
      throw new InputError(
        'invalid_model',
        `model name: expected letters, digits and . _ - + @, got "${name}"`,
      );
    if ((await ModelRegistry.open(embeddedModels)).list().some((embedded) => embedded.name === name))
      throw new InputError(
        'invalid_model',
        `model name: ${name} is a network that comes with Whylight: give yours another name`,
      );
    const others = (await this.registry()).list();
    const staging = await mkdtemp(join(this.directory, '.incoming-'));
    try {
      const manifest = await prepare(join(staging, 'model.onnx'));
      const rival = others.find((model) => model.name === name && digestOf(model) !== manifest.sha256);
      if (rival)
        throw new InputError(
          'invalid_model',
          `another model is called ${name}: give one of them another name`,
        );
      const same = others.find((model) => model.name !== name && digestOf(model) === manifest.sha256);
      if (same)
        throw new InputError(
          'invalid_model',
          `this model is here as ${same.name}: use that name, or remove it before it gets another`,
        );
      await writeFile(
        join(staging, 'model.json'),
        JSON.stringify({ ...manifest, name, file: 'model.onnx' }, null, 2),
      );
      const home = join(this.directory, manifest.sha256!);
      await rm(home, { recursive: true, force: true });
      await rename(staging, home);
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw error;
    }
    return (await this.registry()).get(name);
  }
}

const digestOf = ({ digest }: RegisteredModel): string => digest.slice('sha256:'.length);
