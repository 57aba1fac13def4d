import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { scanMetadata } from '@whylight/core/preparation';

/** Reads the metadata of the ONNX file at `path` without its network. @throws InputError */
export function metadataAt(path: string): Map<string, string> {
  const handle = openSync(path, 'r');
  try {
    return scanMetadata(fstatSync(handle).size, (offset, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(handle, bytes, 0, length, offset));
    });
  } finally {
    closeSync(handle);
  }
}
