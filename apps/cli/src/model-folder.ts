import { readdirSync, statSync } from 'node:fs';
import { UsageError } from './failure.ts';

/** What to do with a folder in which there is no ONNX file, by what is in it. */
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

/** Why a folder is not the model that was asked for. */
export function noModelIn(folder: string): string {
  return `there is no .onnx file in ${folder}: ${todo(readdirSync(folder))}`;
}

/** @throws UsageError for a folder, where one file is wanted */
export function refuseFolder(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new UsageError(`${path} cannot be read: it is a directory; ${todo(readdirSync(path))}`);
}
