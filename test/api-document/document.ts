import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const edge = fileURLToPath(new URL('../../apps/edge', import.meta.url));

interface Gateway {
  published(server: string): object;
  readonly whole: () => WholeDocument;
}
interface WholeDocument {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly security: readonly object[] }>>>
  >;
}

/** The OpenAPI document as the gateway serves it, without a gateway. */
export const apiDocument = async (server: string): Promise<object> => (await loadGateway()).published(server);

/** The document of all routes, those too that the gateway does not publish. */
export const wholeDocument = async (): Promise<WholeDocument> => (await loadGateway()).whole();

/**
 * Loads the gateway's routes into this process. The modules of Cloudflare's runtime are empty here: they hold what Durable Objects extend,
 * and the document needs none.
 */
async function loadGateway(): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-document-'));
  const bundle = join(folder, 'gateway.mjs');
  await build({
    stdin: {
      contents: `import { app, published } from './app.ts'; import { document } from './openapi.ts';
        export { published }; export const whole = () => app.getOpenAPI31Document(document);`,
      resolveDir: join(edge, 'src'),
    },
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
    return (await import(`${pathToFileURL(bundle)}?${Date.now()}`)) as Gateway;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
