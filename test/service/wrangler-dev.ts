import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const wrangler = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'bin',
  'wrangler.js',
);
const worker = fileURLToPath(new URL('../../apps/gpu-worker/src/index.ts', import.meta.url));
const silence = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CI: 'true',
};

const start = (args: readonly string[], settings: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, args, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...silence,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });

/** Ends a process and the processes that it has started. */
export async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([gone, sleep(5000)]);
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
  await gone;
}

/** Starts a worker with these settings. @returns it, and its URL */
export async function startWorker(
  settings: Readonly<Record<string, string>>,
): Promise<[ChildProcess, string]> {
  const child = start([worker], {
    ...settings,
    PORT: '0',
    HOST: '127.0.0.1',
    S3_FORCE_PATH_STYLE: 'true',
    MODELS: '',
    CHECK_SECONDS: '0',
  });
  for await (const line of createInterface(child.stdout!)) {
    const url = /"event":"worker_listening",(?:.*,)?"url":"([^"]+)"/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout!.resume();
    return [child, url];
  }
  throw new Error('the worker ended before it listened');
}

/**
 * The gateway as releases before Miniflare ran it: `wrangler d1 migrations apply`, then `wrangler dev`, by the file
 * `config`, with its state in `state` and its settings in the file `settings`.
 */
export async function startWranglerDev(
  config: string,
  state: string,
  settings: string,
  url: string,
): Promise<ChildProcess> {
  const migrations = [
    'd1',
    'migrations',
    'apply',
    'DB',
    '--local',
    '--config',
    config,
    '--persist-to',
    state,
  ];
  const [code] = (await once(start([wrangler, ...migrations], {}), 'exit')) as [number | null];
  if (code !== 0) throw new Error(`wrangler d1 migrations apply ended with ${code}`);
  const child = start(
    [
      ...[wrangler, 'dev', '--local', '--config', config, '--persist-to', state, '--env-file', settings],
      ...['--ip', '127.0.0.1', '--port', new URL(url).port, '--inspector-port', '0'],
      '--show-interactive-dev-session=false',
    ],
    {},
  );
  child.stdout!.resume();
  // Its store takes headers that are not signed, so today's gateway is never ready with it; the releases before were.
  while (!(await fetch(`${url}/livez`).catch(() => null))?.ok) {
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with ${child.exitCode}`);
    await sleep(200);
  }
  return child;
}
