import { readFileSync } from 'node:fs';

/** The version of this package; all of Whylight's packages have the same. */
export const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);
