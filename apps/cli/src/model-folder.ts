import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ModelNotFoundError } from '@whylight/host';
import { UsageError } from './failure.ts';
import { harmless } from './output.ts';

/** The model in a folder, and the other models that the user may mean. */
export interface ChosenModel {
  readonly path: string;
  readonly others: readonly string[];
}

/**
 * The ONNX file of a folder as optimum writes it: the only one, or `model.onnx` if others are made from it
 * (`model_quantized.onnx`). transformers.js has them in a folder `onnx` below.
 *
 * @throws ModelNotFoundError if the folder holds no model, or several
 */
export function modelInFolder(folder: string): ChosenModel {
  const names = onnxFilesIn(folder);
  if (names.length === 0 && onnxFilesIn(join(folder, 'onnx')).length > 0)
    return modelInFolder(join(folder, 'onnx'));
  const main = names.length === 1 ? names[0] : names.find((name) => name === 'model.onnx');
  if (main === undefined)
    throw new ModelNotFoundError(
      names.length === 0
        ? noModelIn(folder)
        : `${folder} holds more than one model (${names.map(harmless).join(', ')}): give the path of one of them`,
    );
  return { path: join(folder, main), others: names.filter((name) => name !== main) };
}

const onnxFilesIn = (folder: string): string[] =>
  statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && /\.onnx$/i.test(entry.name) && !entry.name.startsWith('.'))
        .map(({ name }) => name)
        .sort()
    : [];

/** Advises what to do with a folder without an ONNX file, by the files in it. */
function todo(names: readonly string[]): string {
  const has = (name: RegExp) => names.some((one) => name.test(one));
  if (has(/\.onnx$/i)) return 'name the .onnx file in it';
  if (has(/^saved_model\.pb$/))
    return 'it is a SavedModel of TensorFlow: convert it with "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"';
  if (has(/\.safetensors$|^pytorch_model.*\.bin$/) && has(/^config\.json$/))
    return 'it is a model of Hugging Face: export it with "optimum-cli export onnx --model FOLDER OUT"';
  if (has(/^Manifest\.json$/) && has(/^Data$/))
    return 'it is a Core ML package: export the network that it was made of as ONNX';
  return 'export the network as ONNX, and give that file';
}

/** Says why a folder is not the requested model. */
function noModelIn(folder: string): string {
  return `there is no .onnx file in ${folder}: ${todo(readdirSync(folder))}`;
}

/** @throws UsageError for a folder, if one file is wanted */
export function refuseFolder(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new UsageError(`${path} cannot be read: it is a directory; ${todo(readdirSync(path))}`);
}
