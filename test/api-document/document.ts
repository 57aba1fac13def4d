import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const edge = fileURLToPath(new URL('../../apps/edge', import.meta.url));
/** Beside the gateway, so that its packages are found from there. */
const bundle = join(edge, 'node_modules', '.document.mjs');

/**
 * The OpenAPI document as the gateway serves it, without a gateway. The modules of Cloudflare's runtime are empty here: they hold what
 * Durable Objects extend, and the document needs none.
 */
export async function apiDocument(server: string): Promise<object> {
  await build({
    entryPoints: [join(edge, 'src/app.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    loader: { '.html': 'text', '.txt': 'text' },
    logLevel: 'error',
    plugins: [
      {
        name: 'no-runtime',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: 'no-runtime' }));
          onLoad({ filter: /.*/, namespace: 'no-runtime' }, () => ({
            contents: 'export class DurableObject {} export class WorkerEntrypoint {} export const env = {};',
          }));
        },
      },
    ],
  });
  try {
    const { published } = (await import(`${pathToFileURL(bundle)}?${Date.now()}`)) as {
      published(server: string): object;
    };
    return published(server);
  } finally {
    await rm(bundle, { force: true });
  }
}
