import { InputError } from '@whylight/core';
import { forgetFiles, keepFiles, keptFiles } from './cache.ts';
import { type FileModel, modelOfFiles } from './described-files.ts';
import { fetchFiles } from './fetched-files.ts';
import type { ModelSource } from './opened-model.ts';
import { syncFileOf } from './sync-file.ts';

interface Opening {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/** @throws InputError for a source that is not a model, has another digest, cannot be fetched or is not in the cache */
export async function openSource(
  source: ModelSource,
  opening: Opening = {},
): Promise<{ readonly model: FileModel; readonly cached: boolean }> {
  const { sha256 } = source;
  if ('files' in source) {
    const model = await modelOfFiles(source.files.map(syncFileOf), sha256);
    if (source.keep) await keepFiles(model.sha256, source.files);
    return { model, cached: false };
  }
  const kept = sha256 === undefined ? undefined : await keptModel(sha256.toLowerCase());
  if (kept) return { model: kept, cached: true };
  if (!('url' in source))
    throw new InputError(
      'invalid_model',
      `no model with sha256 ${sha256} is in this browser's cache; open it by its url or files`,
    );
  const files = await fetchFiles([source.url, ...(source.beside ?? [])].map(String), opening);
  const model = await modelOfFiles(files.map(syncFileOf), sha256);
  // Without a digest nobody could tell whether the stored model is still the model at the address.
  if (sha256 !== undefined) await keepFiles(model.sha256, files);
  return { model, cached: false };
}

/** Reads a model from the cache. Others may write into the origin's cache: files that are not the model are deleted. */
async function keptModel(sha256: string): Promise<FileModel | undefined> {
  const files = await keptFiles(sha256);
  if (!files) return undefined;
  try {
    return await modelOfFiles(files.map(syncFileOf), sha256);
  } catch {
    await forgetFiles(sha256);
    return undefined;
  }
}
