import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceEnvironment } from '../env.ts';
import { readableFolders } from './readable.ts';

/** Limits for a process that handles a stranger's model. */
export interface SandboxLimits {
  /** Megabytes of memory that it may write to, of all kinds; Infinity leaves it to the container. */
  readonly megabytes: number;
}

export interface Sandboxed {
  /** The process, with an IPC channel, stdin and stderr. */
  readonly child: ChildProcess;
  /** Resolves with how it ended, once it has. */
  readonly exited: Promise<string>;
  /** Whether the kernel ends it should this process be killed. Else a process that is stopped at that time would stay for ever. */
  readonly isTied: boolean;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Before Node 22.13 the permission model is called experimental. */
const permission = major > 22 || (major === 22 && minor >= 13) ? '--permission' : '--experimental-permission';
/** Share of the memory that JavaScript's own heap may take. */
const heapShare = 0.5;

/** In an empty network; and killed when the thread that has started it ends. */
const offline = ['unshare', '--user', '--net', '--'] as const;
const tied = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;

/**
 * Starts `script` with as little as it needs: an empty directory of its own to be in, no environment, no way to write
 * a file, to read one outside the code or to start a process (Node's permission model), bounded memory and no core
 * dump (`ulimit`), and no network if the kernel lets us take it away.
 */
export async function startSandboxed(script: string, { megabytes }: SandboxLimits): Promise<Sandboxed> {
  const directory = await mkdtemp(join(tmpdir(), 'whylight-model-'));
  const limited = Number.isFinite(megabytes);
  const heap = Math.floor(Math.min(limited ? megabytes : 4096, 4096) * heapShare);
  const paths = await readableFolders(script);
  const node = [
    process.execPath,
    permission,
    '--allow-addons',
    ...paths.map((path) => `--allow-fs-read=${path}`),
    `--max-old-space-size=${heap}`,
    '--disable-warning=SecurityWarning',
    '--disable-warning=ExperimentalWarning',
    script,
  ];
  const bounds = `ulimit -c 0; ulimit -f 0; ${limited ? `ulimit -d ${Math.floor(megabytes * 1024)}; ` : ''}exec "$@"`;
  const [isOffline, isTied] = await Promise.all([canRun(offline), canRun(tied)]);
  // `unshare` changes the credentials, by which the kernel forgets the tie: it comes first.
  const prefix = [...(isOffline ? offline : []), ...(isTied ? tied : [])];
  const child = spawn('/bin/sh', ['-c', bounds, 'sh', ...prefix, ...node], {
    cwd: directory,
    env: deviceEnvironment(),
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  // A process that ends before it has read everything breaks the pipe, which `exited` tells better.
  child.stdin!.on('error', () => undefined);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `status ${code}`));
  }).finally(() => rm(directory, { recursive: true, force: true }));
  return { child, exited, isTied };
}

const possible = new Map<string, Promise<boolean>>();

/** Whether this machine has the program and its kernel does what is asked. Containers often have no networks of their own. */
function canRun(prefix: readonly [string, ...string[]]): Promise<boolean> {
  const [program, ...args] = prefix;
  const known = possible.get(program);
  if (known) return known;
  const found = new Promise<boolean>((resolve) => {
    execFile(program, [...args, 'true'], { timeout: 5000 }, (error) => resolve(error === null));
  });
  possible.set(program, found);
  return found;
}
