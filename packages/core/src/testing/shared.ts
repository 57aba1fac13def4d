import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const shared =
  process.env.WHYLIGHT_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));

/** Returns the path of a reference file that is not part of the repository, or null if it is missing. */
export function sharedFile(path: string): string | null {
  const file = join(shared, path);
  if (existsSync(file)) return file;
  console.warn(`reference material is not at hand: tests that need ${path} are skipped`);
  return null;
}
