import { InputError, type ModelFiles, quoted, readExternalData } from '@whylight/core';
import {
  type DescribedModel,
  describe,
  foundBeside,
  manifestBeside,
  manifestName,
  metadataIn,
} from '@whylight/core/preparation';
import { sha256Of } from './digest.ts';
import { folderOf, type SyncFile, textIn, weightsIn } from './sync-file.ts';

export interface FileModel extends DescribedModel {
  /** SHA-256 of the model, with the weights in files beside it merged in, as lower-case hex. */
  readonly sha256: string;
}

/**
 * Finds the model among some files, and reads the other files: a manifest, class names, preprocessing, weights.
 *
 * @throws InputError `invalid_model` if there is no model, or several; for a digest that is not the model's;
 *   for a wrong file beside it
 */
export async function modelOfFiles(files: readonly SyncFile[], expected?: string): Promise<FileModel> {
  const { name: file, ...source } = modelAmong(files);
  const folder = folderOf(files);
  const own = source.read(0, source.size);
  const model: ModelFiles = readExternalData(own, weightsIn(folder));
  const sha256 = await sha256Of(model.parts);
  checkDigest(file, sha256, expected);
  const readText = textIn(folder);
  const manifest = manifestBeside(readText, file);
  checkDigest(file, sha256, manifest.manifest.sha256);
  const found = foundBeside(readText, () => metadataIn(own), manifestName(file));
  return {
    ...describe(manifest, found),
    name: manifest.manifest.name ?? file.replace(/\.onnx$/i, ''),
    sha256,
    file: async () => model,
  };
}

/** Finds the `.onnx` file; a single file may have any name. */
function modelAmong(files: readonly SyncFile[]): SyncFile {
  const models = files.length === 1 ? files : files.filter(({ name }) => /\.onnx$/i.test(name));
  const [model] = models;
  if (model && models.length === 1) return model;
  const names = (some: readonly SyncFile[]) => some.map(({ name }) => quoted(name)).join(', ') || 'none';
  throw new InputError(
    'invalid_model',
    models.length > 1
      ? `expected one model, got ${models.length} .onnx files: ${names(models)}; give one of them, with the files that belong to it`
      : `expected an .onnx file among the files, got ${names(files.slice(0, 10))}`,
  );
}

function checkDigest(file: string, got: string, expected: string | undefined): void {
  if (expected === undefined || expected.toLowerCase() === got) return;
  throw new InputError(
    'invalid_model',
    `model ${quoted(file)}: expected sha256 ${expected}, got ${got}; the file is damaged, or is another one`,
  );
}
