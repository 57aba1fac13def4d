import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WhylightClient } from '@whylight/client';

export const cli = fileURLToPath(new URL('../../apps/cli/bin/whylight.js', import.meta.url));

export interface Ready {
  readonly url: string;
  readonly store_url: string;
  readonly operator_key: string;
  readonly tenant: string;
  readonly api_key: string;
  readonly worker_url: string;
}

/** `whylight serve` as a user starts it: another process, a free port, a directory of its own. */
export class RunningService {
  readonly ready: Ready;
  readonly directory: string;
  readonly client: WhylightClient;
  /** Lines that it has written to stderr. */
  readonly log: readonly string[];
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, directory: string, ready: Ready, log: string[]) {
    this.#process = process;
    this.log = log;
    this.directory = directory;
    this.ready = ready;
    this.client = this.clientOf(ready.api_key);
  }

  /** Starts a service: without named models, with the small network of drawn shapes, as most tests want it. */
  static async start(
    options: {
      /** `whylight.js` of another checkout. */
      program?: string;
      directory?: string;
      models?: readonly string[];
      corsOrigins?: readonly string[];
      /** Gets the pid of `whylight serve` while it starts. */
      onSpawn?: (pid: number) => void;
    } = {},
  ): Promise<RunningService> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'whylight-test-')));
    const models = (options.models ?? ['shapes']).flatMap((model) => ['--model', model]);
    const origins = (options.corsOrigins ?? []).flatMap((origin) => ['--cors-origin', origin]);
    const data = ['--budget', '0', '--data', directory];
    const args = [options.program ?? cli, 'serve', '--json', '--port', '0', ...data, ...models, ...origins];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    options.onSpawn?.(child.pid!);
    const log: string[] = [];
    createInterface(child.stderr).on('line', (text) => log.push(text));
    const line = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve);
      child.once('exit', (code) =>
        reject(new Error(`whylight serve ended with ${code}:\n${log.join('\n')}`)),
      );
    });
    const ready = JSON.parse(line) as Ready | { readonly error: object };
    if ('error' in ready) throw new Error(`whylight serve has not started: ${line}\n${log.join('\n')}`);
    return new RunningService(child, directory, ready, log);
  }

  clientOf(apiKey: string): WhylightClient {
    return new WhylightClient({ url: this.ready.url, apiKey });
  }

  /** Makes one call of the API, without retries. */
  call(path: string, body?: unknown, apiKey = this.ready.api_key): Promise<Response> {
    const headers = {
      Authorization: `Bearer ${apiKey}`,
      'Content-Type': 'application/json',
      Prefer: 'wait=60',
    };
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return fetch(new URL(path, this.ready.url), { headers, redirect: 'manual', ...sent });
  }

  /** One of the worker's counters. */
  async counter(name: string): Promise<number> {
    const text = await (await fetch(`${this.ready.worker_url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  /** Ends the process. @returns its exit code, or the signal that ended it */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return this.#process.exitCode;
    const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
      this.#process.once('exit', (code, by) => resolve(code ?? by));
    });
    this.#process.kill(signal);
    return exited;
  }

  /** Ends the process and forgets its state. */
  async remove(): Promise<void> {
    await this.end();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Lists the pids of its child processes and their descendants. */
  descendants(): Promise<number[]> {
    return descendantsOf(this.#process.pid!);
  }

  /** Lists the descendants whose command line has `word`. */
  processes(word: string): Promise<number[]> {
    return processesOf(this.#process.pid!, word);
  }
}

/** Lists the pids of the descendants of a process whose command line has `word`. */
export async function processesOf(pid: number, word: string): Promise<number[]> {
  const pids = await descendantsOf(pid);
  const lines = await Promise.all(
    pids.map((each) => readFile(`/proc/${each}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, i) => lines[i]!.includes(word));
}

async function descendantsOf(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    const status = await processStatus(Number(entry));
    if (status) parents.set(Number(entry), status.parent);
  }
  const below = (parent: number): number[] =>
    [...parents].filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** Lists those of `pids` that still run after some time to end. */
export async function survivors(pids: readonly number[]): Promise<number[]> {
  let left = [...pids];
  for (let tries = 0; tries < 100 && left.length > 0; tries++) {
    await sleep(50);
    const found = await Promise.all(left.map(processStatus));
    // A process that has ended and waits for its parent (a zombie) is gone.
    left = left.filter((_, i) => found[i] && found[i].state !== 'Z');
  }
  return left;
}

async function processStatus(pid: number): Promise<{ state: string; parent: number } | null> {
  if (!Number.isInteger(pid)) return null;
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  const [state, parent] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return state && parent ? { state, parent: Number(parent) } : null;
}
