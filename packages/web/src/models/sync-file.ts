import { type FilesBeside, InputError, quoted } from '@whylight/core';
import { mostTextBytes, type ReadText } from '@whylight/core/preparation';

/** A file that is read synchronously during a computation; only a worker can do this. */
export interface SyncFile {
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Exists only in workers; the types of a page do not have it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

export const syncFileOf = (file: File): SyncFile => ({
  name: file.name,
  size: file.size,
  read(offset, length) {
    try {
      return new Uint8Array(new FileReaderSync().readAsArrayBuffer(file.slice(offset, offset + length)));
    } catch (error) {
      throw new InputError(
        'invalid_model',
        `file ${quoted(file.name)} cannot be read: ${(error as Error).message} Drop or choose it again.`,
      );
    }
  },
});

/** Files by name; a file may have the name of a member that objects inherit. */
export type Folder = ReadonlyMap<string, SyncFile>;

export const folderOf = (files: readonly SyncFile[]): Folder =>
  new Map(files.map((file) => [file.name, file]));

export const textIn =
  (folder: Folder): ReadText =>
  (name) => {
    const file = folder.get(name);
    if (!file) return undefined;
    if (file.size > mostTextBytes)
      throw new InputError(
        'invalid_model',
        `file ${quoted(name)} cannot be read: expected at most ${mostTextBytes} bytes, got ${file.size}`,
      );
    return new TextDecoder().decode(file.read(0, file.size));
  };

/** Returns the files in which a model stores its weights. */
export function weightsIn(folder: Folder): FilesBeside {
  const fileOf = (name: string) => {
    const file = folder.get(name);
    if (file) return file;
    throw new InputError(
      'invalid_model',
      `the model keeps weights in ${JSON.stringify(name)}: there is no such file beside the model; give both, or drop the folder that has both`,
    );
  };
  return {
    sizeOf: (name) => fileOf(name).size,
    read: (name, offset, target) => target.set(fileOf(name).read(offset, target.length)),
  };
}
