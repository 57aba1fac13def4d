import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type ExternalDataLimits,
  type FilesBeside,
  InputError,
  largestFile,
  type ModelFiles,
  readExternalData,
  weightsBeside,
} from '@whylight/core';
import { modelLimits } from './env.ts';

/** A model of at least this many bytes is not read again while somebody still uses it. */
const large = 64 * 2 ** 20;
/** The last read of each path, as long as somebody uses it. So a large model is in memory once. */
const held = new Map<string, { readonly model: WeakRef<ModelFiles>; readonly state: string }>();
/** Whoever holds a view of a model's memory keeps all of its memory. */
const owners = new WeakMap<ArrayBufferLike, ModelFiles>();

/**
 * Reads the model at `path` with its external data: as one file, or if that would be too large, with its large weights beside
 * it. Callers must not change it, because they share it.
 *
 * @throws InputError (see `readExternalData`)
 */
export async function readModelFiles(
  path: string,
  limits: ExternalDataLimits = modelLimits(),
): Promise<ModelFiles> {
  const known = held.get(path);
  const before = known?.model.deref();
  if (known && before && stateOf(JSON.parse(known.state).names) === known.state) return before;
  const { model, names } = await readOnce(path, limits);
  if (model.bytes.byteLength + weightsBeside(model) >= large) {
    for (const { buffer } of [model.bytes, ...model.weights.values()]) owners.set(buffer, model);
    held.set(path, { model: new WeakRef(model), state: stateOf([path, ...names]) });
  }
  return model;
}

/** @throws InputError model_too_large if the weights of the model are beside it */
export function asOneFile(model: ModelFiles): Uint8Array<ArrayBuffer> {
  if (model.weights.size === 0) return model.bytes;
  const bytes = model.bytes.byteLength + weightsBeside(model);
  throw new InputError(
    'model_too_large',
    `the model and its external data have ${bytes} bytes, and are needed as one file here, which has at most ${largestFile}; "check", "explain" and "attribute" of whylight take it as it is, or convert its weights to float16`,
  );
}

/** A text that changes when the contents of the files change. */
const stateOf = (names: readonly string[]): string =>
  JSON.stringify({
    names,
    states: names.map((name) => {
      const found = statSync(name, { bigint: true, throwIfNoEntry: false });
      return found && [found.ino, found.size, found.mtimeNs, found.ctimeNs].join();
    }),
  });

async function readOnce(path: string, limits: ExternalDataLimits) {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_FS_FILE_TOO_LARGE') throw error;
    throw new InputError(
      'model_too_large',
      `the model file has more than ${largestFile} bytes, which is all that an ONNX file may have; save its weights beside it: in Python onnx.save(model, "model.onnx", save_as_external_data=True)`,
    );
  });
  const files = new OpenFile(dirname(path));
  try {
    return { model: readExternalData(bytes, files, limits), names: files.names };
  } finally {
    files.close();
  }
}

/** Reads regular files of one folder, one at a time, because a model may name hundreds. It follows no links. */
class OpenFile implements FilesBeside {
  readonly #folder: string;
  /** The paths of all files that it has opened. */
  readonly names: string[] = [];
  #name = '';
  #handle: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  sizeOf(name: string): number {
    return fstatSync(this.#open(name)).size;
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const handle = this.#open(name);
    for (let done = 0; done < target.length; ) {
      // One read of the system returns less than 2 GiB.
      const read = readSync(handle, target, done, Math.min(target.length - done, 2 ** 30), offset + done);
      if (read === 0) throw unreadable(name, 'it became shorter while it was read; try again');
      done += read;
    }
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle);
    this.#handle = undefined;
  }

  #open(name: string): number {
    if (this.#handle !== undefined && this.#name === name) return this.#handle;
    this.close();
    if (basename(name) !== name) throw forbidden(name, 'it is a path');
    const path = join(this.#folder, name);
    try {
      if (lstatSync(path).isSymbolicLink()) throw forbidden(name, 'it is a symbolic link');
      // Without O_NONBLOCK, opening a pipe would wait until somebody writes to it.
      const handle = openSync(
        path,
        constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
      );
      this.#handle = handle;
      this.names.push(path);
      this.#name = name;
      if (!fstatSync(handle).isFile()) throw forbidden(name, 'it is not a regular file');
      return handle;
    } catch (error) {
      throw error instanceof InputError ? error : refusalOf(name, error as NodeJS.ErrnoException);
    }
  }
}

function refusalOf(name: string, { code }: NodeJS.ErrnoException): InputError {
  if (code === 'ENOENT')
    return unreadable(name, 'there is no such file beside the model; copy both into one folder');
  if (code === 'ELOOP') return forbidden(name, 'it is a symbolic link');
  if (code === 'EACCES' || code === 'EPERM') return unreadable(name, 'permission denied');
  return unreadable(name, code ?? 'it cannot be opened');
}

const unreadable = (name: string, why: string): InputError =>
  new InputError('invalid_model', `the model keeps weights in ${JSON.stringify(name)}: ${why}`);

const forbidden = (name: string, why: string): InputError =>
  new InputError(
    'model_external_data_forbidden',
    `the model keeps weights in ${JSON.stringify(name)}, which is not read: ${why}; copy the file itself beside the model`,
  );
