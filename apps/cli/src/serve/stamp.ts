import { readFile, writeFile } from 'node:fs/promises';

/** Runs `work` unless it has been done for this `digest`, as the file at `path` remembers. */
export async function stamp(path: string, digest: string, work: () => Promise<void>): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === digest) return;
  await work();
  await writeFile(path, digest);
}
