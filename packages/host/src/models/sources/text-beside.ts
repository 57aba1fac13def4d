import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError, quoted } from '@whylight/core';
import { mostTextBytes } from '@whylight/core/preparation';

/**
 * Reads the text of the file called `name` in `folder`; undefined if there is no such file. It reads only a regular
 * file in the folder itself: neither a path nor a link leads out of it.
 *
 * @throws InputError `invalid_model` with the reason why a file is not read
 */
export function readTextBeside(folder: string, name: string): string | undefined {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name) || basename(name) !== name)
    throw new InputError(
      'invalid_model',
      `file ${quoted(name)}: expected the name of a file in the model's own folder, got a path; copy the file there`,
    );
  const path = join(folder, name);
  try {
    if (dirname(realpathSync(path)) !== realpathSync(folder))
      throw unread(name, "it is a link to a file outside the model's folder; copy the file itself there");
    return readText(path, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof InputError) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unread(
      name,
      code === 'EACCES' || code === 'EPERM' ? 'permission denied' : (code ?? 'unknown error'),
    );
  }
}

/** Reads the text of the file at `path`; messages call it `name`. @throws InputError, or the system's error */
export function readText(path: string, name: string): string {
  // Without O_NONBLOCK the opening of a pipe would wait for somebody who writes to it.
  const handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const about = fstatSync(handle);
    if (!about.isFile()) throw unread(name, 'it is not a regular file');
    // One byte beyond the limit shows that the file is too long, whatever size it states.
    const bytes = Buffer.alloc(Math.min(about.size, mostTextBytes) + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read)
      read = readSync(handle, bytes, length, bytes.length - length, null);
    if (length > mostTextBytes) throw unread(name, `expected at most ${mostTextBytes} bytes, got more`);
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    closeSync(handle);
  }
}

const unread = (name: string, why: string): InputError =>
  new InputError('invalid_model', `file ${quoted(name)} cannot be read: ${why}`);
