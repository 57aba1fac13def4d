import type { SyncFile } from '../models/sync-file.ts';

/** Makes a file in memory, for tests outside a browser. */
export function memoryFile(name: string, content: string | Uint8Array | object): SyncFile {
  const bytes =
    content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
  return {
    name,
    size: bytes.length,
    read: (offset, length) => Uint8Array.from(bytes.subarray(offset, offset + length)),
  };
}
