import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const wrangler = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'bin',
  'wrangler.js',
);
const config = fileURLToPath(new URL('./bare/wrangler.jsonc', import.meta.url));

/** A bare Hono route in workerd, by the same wrangler as the gateway. */
export async function startBare(): Promise<{ url: string; stop(): void }> {
  const port = await freePort();
  const child: ChildProcess = spawn(
    process.execPath,
    [
      wrangler,
      'dev',
      '--local',
      '--config',
      config,
      '--ip',
      '127.0.0.1',
      '--port',
      `${port}`,
      ...['--inspector-port', '0', '--log-level', 'error', '--show-interactive-dev-session=false'],
    ],
    { stdio: 'ignore', env: { ...process.env, CI: 'true', CLOUDFLARE_CF_FETCH_ENABLED: 'false' } },
  );
  const url = `http://127.0.0.1:${port}/`;
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(url, { method: 'POST', body: '{}' }).catch(() => null);
    if (answer?.ok) return { url, stop: () => child.kill('SIGTERM') };
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error('the bare route did not start');
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
