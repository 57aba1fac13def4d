import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tenantSchema } from '@whylight/contract';
import { type ExecutionProvider, embeddedModels, ModelRegistry } from '@whylight/host';
import { Failure } from '../failure.ts';
import { Child, type LogLine } from './child.ts';
import { inheritedEnvironment } from './env.ts';
import {
  migrationsDigest,
  sharedSettings,
  writeGatewayConfig,
  writeGatewaySettings,
} from './gateway-config.ts';
import { lock } from './lock.ts';
import { freePort } from './port.ts';
import { openSecrets, type Secrets, saveSecrets } from './secrets.ts';
import { stamp } from './stamp.ts';

export interface ServiceOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Where all state is. */
  readonly directory: string;
  /** NAME=PATH; the first is the default. The embedded network is there too. */
  readonly models: readonly { readonly name: string; readonly path: string }[];
  readonly ep: ExecutionProvider;
  readonly log: LogLine;
}

/** What a user needs to talk to it. */
export interface Access {
  readonly url: string;
  readonly operatorKey: string;
  readonly tenant: string;
  readonly apiKey: string;
  /** The worker, on the loopback interface: /health, /metrics. */
  readonly workerUrl: string;
}

const workerMain = fileURLToPath(new URL('../../../gpu-worker/src/index.ts', import.meta.url));
const wrangler = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'bin',
  'wrangler.js',
);
const wranglerSilence = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CI: 'true',
  NO_COLOR: '1',
};

/** Milliseconds for a child to end by itself; all together stay within five seconds. */
const patience = 3500;
const startLimit = 90_000;

/** The whole service as processes of this machine: worker, gateway in workerd with its S3 endpoint, and a guard. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #children: Child[] = [];
  #guard: ChildProcess | undefined;
  #unlock: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ServiceOptions) {
    this.#options = { ...options, directory: resolve(options.directory) };
  }

  /** Starts everything; after a failure nothing is left running. @throws Failure, ModelNotFoundError, InputError */
  async start(): Promise<Access> {
    const { directory, models } = this.#options;
    await ModelRegistry.open(models);
    const port = await freePort(this.#options.port);
    const secrets = await openSecrets(directory);
    this.#unlock = lock(directory);
    try {
      return await this.#bringUp(`http://127.0.0.1:${port}`, secrets);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Resolves with a sentence when a part ends although nobody asked it to. */
  async failed(): Promise<string> {
    const { name, code } = await Promise.race(
      this.#children.map(async (child) => ({ name: child.name, code: await child.exited })),
    );
    return `the ${name} ended unexpectedly (${code})`;
  }

  /** Ends everything, within five seconds. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop(patience)));
    this.#guard?.stdin?.end();
    this.#unlock?.();
  }

  async #bringUp(url: string, secrets: Secrets): Promise<Access> {
    const { directory } = this.#options;
    this.#guard = spawn(process.execPath, [fileURLToPath(new URL('./guard.ts', import.meta.url))], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const config = await writeGatewayConfig(directory, secrets);
    const [workerUrl] = await Promise.all([this.#startWorker(url, secrets), this.#migrate(config)]);
    await writeGatewaySettings(directory, secrets, { url, workerUrl });
    const { port } = new URL(url);
    const gateway = this.#child('gateway', [
      ...[wrangler, 'dev', '--local', '--config', config, '--persist-to', join(directory, 'state')],
      ...['--ip', '127.0.0.1', '--port', port, '--inspector-port', '0', '--log-level', 'warn'],
      '--show-interactive-dev-session=false',
    ]);
    await Promise.all([
      this.#ready('gateway', gateway, `${url}/readyz`),
      this.#ready('worker', this.#children[0]!, `${workerUrl}/readyz`, `${workerUrl}/health`),
    ]);
    const { tenant, apiKey } = await firstTenant(url, directory, secrets);
    return { url, workerUrl, operatorKey: secrets.operatorKey, tenant, apiKey };
  }

  async #startWorker(url: string, secrets: Secrets): Promise<string> {
    const { models, ep } = this.#options;
    const { path: shapes } = (await ModelRegistry.open([embeddedModels])).list()[0] ?? { path: '' };
    const all = [...models, ...(shapes ? [{ name: 'shapes', path: shapes }] : [])];
    const worker = this.#child('worker', [workerMain], {
      ...sharedSettings(url, secrets),
      PORT: '0',
      HOST: '127.0.0.1',
      S3_FORCE_PATH_STYLE: 'true',
      MODELS: all.map(({ name, path }) => `${name}=${resolve(path)}`).join('\n'),
      EXECUTION_PROVIDER: ep,
      DRAIN_SECONDS: '2',
    });
    const listening = await worker.line(
      (line) => /"event":"worker_listening","url":"([^"]+)"/.exec(line)?.[1],
    );
    if (!listening) throw new Failure('the worker did not start; its log says why');
    return listening;
  }

  /** Brings the database up to date, if it is not. */
  async #migrate(config: string): Promise<void> {
    const { directory } = this.#options;
    const persisted = join(directory, 'state');
    await stamp(join(directory, 'migrated'), await migrationsDigest(), async () => {
      const args = [
        'd1',
        'migrations',
        'apply',
        'DB',
        '--local',
        '--config',
        config,
        '--persist-to',
        persisted,
      ];
      const child = this.#child('migrations', [wrangler, ...args]);
      const code = await child.exited;
      this.#children.splice(this.#children.indexOf(child), 1);
      if (code !== 0) throw new Failure('the database could not be brought up to date; the log says why');
    });
  }

  #child(name: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}): Child {
    const { log } = this.#options;
    const env = { ...inheritedEnvironment(), ...(name === 'worker' ? {} : wranglerSilence), ...settings };
    const child = new Child({ name, args, env, log, guard: (pid) => this.#guard?.stdin?.write(`${pid}\n`) });
    this.#children.push(child);
    return child;
  }

  async #ready(name: string, child: Child, url: string, health?: string): Promise<void> {
    const deadline = performance.now() + startLimit;
    let gone = false;
    void child.exited.then(() => {
      gone = true;
    });
    for (;;) {
      if ((await get(url))?.ok) return;
      const state = health
        ? ((await (await get(health))?.json()) as { status?: string; reason?: string })
        : undefined;
      if (state?.status === 'failed') throw new Failure(`the ${name} cannot start: ${state.reason}`);
      if (gone) throw new Failure(`the ${name} ended before it was ready; its log says why`);
      if (performance.now() > deadline)
        throw new Failure(`the ${name} was not ready in ${startLimit / 1000} s`);
      await sleep(100);
    }
  }
}

const get = (url: string): Promise<Response | null> =>
  fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);

/** The tenant of this directory and its key: made at the first start, the same ever after. */
async function firstTenant(
  url: string,
  directory: string,
  secrets: Secrets,
): Promise<{ tenant: string; apiKey: string }> {
  if (secrets.tenant && secrets.apiKey) return { tenant: secrets.tenant, apiKey: secrets.apiKey };
  const response = await fetch(`${url}/v1/operator/tenants`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secrets.operatorKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'local' }),
  });
  if (!response.ok) throw new Failure(`the first tenant could not be created: status ${response.status}`);
  const { id, key } = tenantSchema.parse(await response.json());
  await saveSecrets(directory, { ...secrets, tenant: id, apiKey: key.secret });
  return { tenant: id, apiKey: key.secret };
}
