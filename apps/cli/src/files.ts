import { access, constants, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { getOwn, InputError, readNpy, type Tensor } from '@whylight/core';
import { Failure, UsageError } from './failure.ts';

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  EEXIST: 'a file is in the way',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
};

const reasonOf = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return getOwn(reasons, code) ?? (code || message);
};

/** @throws UsageError that names the file as the user did. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${reasonOf(error)}`);
  });
}

/** A NumPy array from a file. @throws UsageError, InputError that names the file */
export async function readTensor(path: string): Promise<Tensor> {
  const bytes = await readBytes(path);
  try {
    return readNpy(bytes);
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.code, `${path}: ${error.message}`) : error;
  }
}

/** @throws UsageError unless `path` is a file that can be read */
export async function readable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/** Makes the directory of the file `path`. @throws Failure */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw new Failure(`${path} cannot be written: ${reasonOf(error)}`);
  });
}

/** Writes a file, and the directories above it. The file gets its name once it is complete. @throws Failure */
export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const old = await stat(path).catch(() => undefined);
    // A pipe or a device is written to, not replaced.
    if (old && !old.isFile()) return await writeFile(path, bytes);
    const target = await realpath(path).catch(() => path);
    const staged = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
    try {
      await writeFile(staged, bytes);
      await rename(staged, target);
    } finally {
      await rm(staged, { force: true });
    }
  } catch (error) {
    throw new Failure(`${path} cannot be written: ${reasonOf(error)}`);
  }
}
