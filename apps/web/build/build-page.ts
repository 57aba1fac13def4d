import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));

/** Builds the page into a folder, which it empties. */
export async function buildPage(outDir: string): Promise<void> {
  await build({ configFile, logLevel: 'error', build: { outDir, emptyOutDir: true } });
}
