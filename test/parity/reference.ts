import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNpy, type Tensor } from '@whylight/core';

/** Folder of reference outputs of other libraries; they are not part of the repository. */
const root = process.env.WHYLIGHT_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));

export const available = (path: string): boolean => existsSync(join(root, path));
export const bytesOf = (path: string): Buffer => readFileSync(join(root, path));
// biome-ignore lint/suspicious/noExplicitAny: reference files are JSON of many shapes
export const jsonOf = (path: string): any => JSON.parse(bytesOf(path).toString());
export const npyOf = (path: string): Tensor => readNpy(bytesOf(path));
