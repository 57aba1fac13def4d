import { InputError } from '../errors.ts';
import type { FilesBeside } from '../onnx/data-range.ts';

/** Makes a folder of files in memory, and records the reads of its files. */
export function folder(files: Readonly<Record<string, Uint8Array>>) {
  const asked: [name: string, from: number, to: number][] = [];
  const beside: FilesBeside = {
    sizeOf(name) {
      const file = files[name];
      if (!Object.hasOwn(files, name) || !file) throw new InputError('invalid_model', `no file ${name}`);
      return file.length;
    },
    read(name, offset, target) {
      asked.push([name, offset, offset + target.length]);
      target.set(files[name]!.subarray(offset, offset + target.length));
    },
  };
  return { beside, asked };
}
