/**
 * `node build.ts OUT`: writes the gateway as `whylight serve` runs it to the folder OUT. A process of its own, because
 * neither esbuild nor wrangler is needed once this is done.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig, unstable_splitSqlQuery } from 'wrangler';
import { edge } from './bundle.ts';
import type { BundledGateway, Script } from './bundled-gateway.ts';
import { withFirstNames } from './class-names.ts';
import type { Migration } from './migrations.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const sources: Record<Script, string> = {
  gateway: join(edge, 'src/index.ts'),
  front: here('./front.ts'),
  'store-front': here('./store-front.ts'),
  migrations: here('./migrations.ts'),
};

const [out = ''] = process.argv.slice(2);
await mkdir(out, { recursive: true });
await build({
  entryPoints: sources,
  outdir: out,
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2024',
  // The conditions that wrangler uses for a Worker, too.
  conditions: ['workerd', 'worker', 'browser'],
  mainFields: ['browser', 'module', 'main'],
  external: ['cloudflare:*'],
  define: { 'process.env.NODE_ENV': '"production"' },
  keepNames: true,
  logLevel: 'warning',
});
const config = unstable_readConfig({ config: join(edge, 'wrangler.jsonc') });
// The settings are those of a data directory, never those of a developer's own .dev.vars; modules are bundled above.
const {
  bindings: _,
  modulesRules: __,
  ...options
} = unstable_getMiniflareWorkerOptions(config).workerOptions;
const name = config.name!;
const gateway = options as BundledGateway['options'];
execFileSync(process.execPath, [join(edge, 'build/assets.ts'), join(out, 'assets')], { stdio: 'inherit' });
const bundled: BundledGateway = {
  name,
  options: {
    ...gateway,
    assets: { binding: gateway.assets.binding, directory: 'assets' },
    durableObjects: withFirstNames(name, gateway.durableObjects, config.migrations),
  },
  migrations: await readMigrations(),
};
await writeFile(join(out, 'gateway.json'), JSON.stringify(bundled, null, 2));

async function readMigrations(): Promise<Migration[]> {
  const folder = join(edge, 'migrations');
  const names = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (file) => ({
      name: file,
      statements: unstable_splitSqlQuery(await readFile(join(folder, file), 'utf8')),
    })),
  );
}
