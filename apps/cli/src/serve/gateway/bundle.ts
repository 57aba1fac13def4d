import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../failure.ts';
import type { Processes } from '../processes.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The folder of the gateway's sources. */
export const edge = at('../../../../edge');

const builder = at('./build.ts');
const kept = at('../../../../../node_modules/.cache/whylight');
/** The sources of the bundle: the gateway, its imports, the page that it serves, and this folder. */
const sources = [
  at('.'),
  join(edge, 'src'),
  join(edge, 'build'),
  join(edge, 'migrations'),
  join(edge, 'wrangler.jsonc'),
  ...['contract', 'core', 'client', 'web'].map((name) => at(`../../../../../packages/${name}/src`)),
  ...['src', 'build', 'gallery', 'index.html', 'zh.html', 'vite.config.ts'].map((name) =>
    at(`../../../../web/${name}`),
  ),
  at('../../../../../models/efficientnet-lite0'),
  at('../../../../../package-lock.json'),
];

/** The folder of the bundle in a clone: built if its sources have changed since the last build. @throws Failure */
export async function gatewayBundle(processes: Processes): Promise<string> {
  const folder = join(kept, `gateway-${await digestOf(sources)}`);
  if (await exists(join(folder, 'gateway.json'))) {
    await utimes(folder, new Date(), new Date());
    return folder;
  }
  await mkdir(kept, { recursive: true });
  await forgetOldest();
  const staged = await mkdtemp(join(kept, 'staged-'));
  try {
    const settings = { WRANGLER_LOG: 'error', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' };
    const code = await processes.start('bundle', [builder, staged], settings).exited;
    if (code !== 0) throw new Failure('building the gateway failed; the log says why');
    // Another process may have been faster: then its bundle is the same.
    await rename(staged, folder).catch(async (error) => {
      if (!(await exists(join(folder, 'gateway.json')))) throw error;
    });
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
  return folder;
}

/** Bundles that are kept: of the last edits, and of services that still run. */
const most = 8;

async function forgetOldest(): Promise<void> {
  const folders = await Promise.all(
    (await readdir(kept)).map(async (name) => {
      const path = join(kept, name);
      return { path, time: (await stat(path).catch(() => null))?.mtimeMs ?? 0 };
    }),
  );
  const oldest = folders.sort((a, b) => b.time - a.time).slice(most - 1);
  await Promise.all(oldest.map(({ path }) => rm(path, { recursive: true, force: true })));
}

/** A digest of the names and contents of files, and of the files in folders; tests change nothing. */
export async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths)
    for (const file of await filesIn(path)) hash.update(`${file}\n`).update(await readFile(file));
  return hash.digest('hex').slice(0, 32);
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => null);
  if (entries === null) return [path];
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
