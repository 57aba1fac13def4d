import { readFileSync } from 'node:fs';

/** The release that this worker is of: the version of its package, which all of Whylight's packages have. */
export const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);
