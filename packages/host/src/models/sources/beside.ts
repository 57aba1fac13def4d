import { dirname } from 'node:path';
import { type Found, foundBeside } from '@whylight/core/preparation';
import { metadataAt } from './file-metadata.ts';
import { readTextBeside } from './text-beside.ts';

/** Reads the files in the folder of the model at `path`, and its metadata (see `foundBeside`). @throws InputError */
export const findBeside = (path: string, folder: string = dirname(path), manifest?: string): Found =>
  foundBeside(
    (name) => readTextBeside(folder, name),
    () => metadataAt(path),
    manifest,
  );
