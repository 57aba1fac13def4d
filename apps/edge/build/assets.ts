/**
 * `node build/assets.ts OUT`: writes the files that the gateway serves beside its own code into the folder OUT: the page of
 * `apps/web`, and the script of /docs. WebAssembly is compressed: an asset of a Worker may have 25 MiB at most.
 */
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildPage } from '@whylight/page/build';

const out = resolve(process.argv[2] ?? 'dist/assets');
await buildPage(out);
for (const path of await readdir(out, { recursive: true })) {
  if (!path.endsWith('.wasm')) continue;
  const file = join(out, path);
  await writeFile(`${file}.gz`, gzipSync(await readFile(file)));
  await rm(file);
}
const reference = dirname(createRequire(import.meta.url).resolve('@scalar/api-reference'));
await copyFile(join(reference, 'browser/standalone.js'), join(out, 'standalone.js'));
