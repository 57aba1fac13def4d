import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { InputError } from '@whylight/core';

/** A model by its name, and where it is: a path, or `s3:PREFIX`, the folder of the bucket that holds the model and what describes it. */
interface NamedModel {
  readonly name: string;
  readonly path: string;
}

/** The object store did not give the operator's models. The message may be shown to anyone. */
export class ModelFetchError extends Error {
  override readonly name = 'ModelFetchError';
}

/** Where the operator's models are, and where this worker keeps them. */
interface ModelCache {
  readonly client: S3Client;
  readonly bucket: string;
  readonly folder: string;
  /** Bytes that the folder may hold in all. No other process may use it at the same time. */
  readonly limit: number;
  /** Resolves when the store can be used. */
  readonly storeUsable: Promise<void>;
}

interface StoredFile {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  readonly etag: string;
}

const scheme = /^s3:(?:\/\/)?/;

/**
 * Fetches the models that are in the bucket into the cache's folder. A model whose objects have not changed since an earlier start is
 * not fetched again; what no model needs any more is deleted.
 *
 * @returns the same models, each with a path on this machine
 * @throws InputError if there is no such model in the bucket, or the models take more than the folder may hold
 * @throws ModelFetchError if the store cannot be read
 */
export async function fetchModels(models: readonly NamedModel[], cache: ModelCache): Promise<NamedModel[]> {
  if (!models.some(({ path }) => scheme.test(path))) return [...models];
  await cache.storeUsable;
  try {
    return await fetchAll(models, cache);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { name, code } = error as { name: string; code?: string };
    throw new ModelFetchError(
      `MODELS: the models in bucket ${cache.bucket} cannot be fetched (${code ?? name}); check S3_ENDPOINT, S3_REGION, S3_STYLE, the keys' right to list and read the bucket, and MODEL_CACHE`,
      { cause: error },
    );
  }
}

async function fetchAll(models: readonly NamedModel[], cache: ModelCache): Promise<NamedModel[]> {
  const found = await Promise.all(
    models.map(async (model) => ({
      model,
      files: scheme.test(model.path) ? await filesOf(model, cache) : null,
    })),
  );
  const size = found.flatMap(({ files }) => files ?? []).reduce((sum, file) => sum + file.size, 0);
  if (size > cache.limit)
    throw new InputError(
      'model_too_large',
      `MODELS: the models in the bucket have ${megabytes(size)} MB, and MODEL_CACHE_MB allows ${megabytes(cache.limit)}; allow more, or name fewer models`,
    );
  await mkdir(cache.folder, { recursive: true });
  const kept = new Set(found.flatMap(({ files }) => (files ? [folderOf(files)] : [])));
  // First what has to go: the folder may have no room for both.
  for (const entry of await readdir(cache.folder))
    if (/^whylight-/.test(entry) && !kept.has(entry))
      await rm(join(cache.folder, entry), { recursive: true });
  const local: NamedModel[] = [];
  for (const { model, files } of found)
    local.push(files ? { name: model.name, path: await fetchFiles(files, cache) } : model);
  return local;
}

/** Lists the files of a model: those right below its prefix. */
async function filesOf({ name, path }: NamedModel, { client, bucket }: ModelCache): Promise<StoredFile[]> {
  const prefix = `${path.replace(scheme, '').replace(/\/*$/, '')}/`;
  const files: StoredFile[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/', ContinuationToken }),
    );
    for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? [])
      if (/^[^/\\\0]+$/.test(Key.slice(prefix.length)))
        files.push({ key: Key, name: Key.slice(prefix.length), size: Size, etag: ETag });
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  const networks = files.filter((file) => file.name.endsWith('.onnx'));
  if (networks.length !== 1)
    throw new InputError(
      'invalid_model',
      `MODELS: ${name}: expected one .onnx file below s3:${prefix}, found ${networks.length}`,
    );
  return files;
}

/** A folder for each state of the objects, so that a changed model has another one. */
const folderOf = (files: readonly StoredFile[]): string => {
  const state = JSON.stringify(files.map(({ key, size, etag }) => [key, size, etag]));
  return `whylight-${createHash('sha256').update(state).digest('hex').slice(0, 32)}`;
};

/** @returns the path of the model, whose folder has a final name only once it is whole */
async function fetchFiles(files: readonly StoredFile[], cache: ModelCache): Promise<string> {
  const folder = join(cache.folder, folderOf(files));
  const network = files.find(({ name }) => name.endsWith('.onnx'))!;
  if (!(await readdir(folder).catch(() => null))) {
    const part = `${folder}.part`;
    await mkdir(part, { recursive: true });
    for (const { key, name, etag } of files) {
      // Only these very bytes: the object may be replaced between the list and this.
      const command = new GetObjectCommand({ Bucket: cache.bucket, Key: key, IfMatch: etag });
      const { Body } = await cache.client.send(command);
      await pipeline(Body as Readable, createWriteStream(join(part, name)));
    }
    await rename(part, folder);
  }
  return join(folder, network.name);
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
