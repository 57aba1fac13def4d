import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export const repository = fileURLToPath(new URL('../../../../', import.meta.url));

const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html'],
  ['.js', 'text/javascript'],
  ['.mjs', 'text/javascript'],
  ['.wasm', 'application/wasm'],
  ['.json', 'application/json'],
  ['.jpg', 'image/jpeg'],
]);

export interface Site extends AsyncDisposable {
  readonly url: string;
}

/** Bundles the page at `root`, as an app that uses the package does. */
export async function bundle(root: string, outDir: string): Promise<void> {
  await build({
    ...{ root, base: './', logLevel: 'error', configFile: false },
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, target: 'es2024', chunkSizeWarningLimit: 10_000 },
  });
}

/** Serves a folder on this machine; below `/files/` the repository. An isolated page may have threads. */
export async function serve(folder: string, { isolated = false } = {}): Promise<Site> {
  const server: Server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, 'http://localhost').pathname));
    const file = path.startsWith('/files/')
      ? join(repository, path.slice('/files/'.length))
      : join(folder, path === '/' ? 'index.html' : path);
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', types.get(extname(file)) ?? 'application/octet-stream');
    response.setHeader('Content-Length', statSync(file).size);
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
