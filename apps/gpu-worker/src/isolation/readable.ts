import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const own = ['@whylight/contract', '@whylight/core', '@whylight/host', '@whylight/models/shapes/shapes.json'];

/**
 * Lists the folders that a process with a stranger's model may read: the package that `script` belongs to, the packages
 * that it imports, and every `node_modules` above it. These hold code and no data of ours, in a clone and if installed.
 */
export async function readableFolders(script: string): Promise<string[]> {
  const { resolve } = createRequire(script);
  const packages = [script, ...own.map((name) => resolve(name))].map(packageOf);
  const installed = above(script).map((folder) => join(folder, 'node_modules'));
  const found = [...packages, ...installed.filter((folder) => existsSync(folder))];
  return [...new Set(await Promise.all(found.map((folder) => realpath(folder))))];
}

/** The nearest folder above `file` that has a package.json. */
const packageOf = (file: string): string =>
  above(file).find((folder) => existsSync(join(folder, 'package.json')))!;

/** The folders that `file` is in, the nearest first. */
function above(file: string): string[] {
  const folders = [dirname(file)];
  for (let next = dirname(folders.at(-1)!); next !== folders.at(-1); next = dirname(next)) folders.push(next);
  return folders;
}
