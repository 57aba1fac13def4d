import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Shifts the clock of a process that loads it. */
const shiftClock = new URL('./shift-clock.ts', import.meta.url).href;
const main = fileURLToPath(new URL('../../apps/gpu-worker/src/index.ts', import.meta.url));
/** The small network of drawn shapes. */
const shapes = fileURLToPath(new URL('../../models/shapes/shapes.onnx', import.meta.url));

type Line = Record<string, unknown>;

/** Starts the process of a worker with these settings; its log goes to stdout. */
export type Launch = (settings: Readonly<Record<string, string>>) => ChildProcess;

/** A worker as it runs in production: a process of its own. */
export class WorkerProcess {
  readonly url: string;
  /** Lines that it has written to its log, also before it was replaced. */
  readonly lines: readonly Line[];
  readonly #replace: () => Promise<ChildProcess>;
  #process: ChildProcess;

  private constructor(
    process: ChildProcess,
    url: string,
    lines: readonly Line[],
    replace: () => Promise<ChildProcess>,
  ) {
    this.#process = process;
    this.url = url;
    this.lines = lines;
    this.#replace = replace;
  }

  /** Starts a worker, and waits until its models are loaded. `CLOCK_AHEAD_SECONDS` is for its clock, all other settings are its own. */
  static async start(
    settings: Readonly<Record<string, string>>,
    launch: Launch = launchHere,
  ): Promise<WorkerProcess> {
    const lines: Line[] = [];
    const child = await startProcess(settings, lines, launch);
    const url = String(lines[0]!.url);
    const again = () => startProcess({ ...settings, PORT: new URL(url).port }, lines, launch);
    return new WorkerProcess(child, url, lines, again);
  }

  /** Stops the process, in order if nothing else is said, and starts another one at the same address, as a rolling restart does. */
  async replace(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.stop(signal);
    this.#process = await this.#replace();
  }

  /** The value of a counter; with labels, the sum of the series whose labels contain `label`. */
  async counter(name: string, label = ''): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const series = text.split('\n').filter((line) => line.startsWith(name) && line.includes(label));
    return series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Whether it is ready, and what it says of that. */
  async readiness(): Promise<[ok: boolean, text: string]> {
    const response = await fetch(`${this.url}/readyz`);
    return [response.ok, await response.text()];
  }

  /** Lines of an event in its log. */
  linesOf(event: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line.event === event);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill(signal);
    await once(this.#process, 'exit');
  }
}

/** Starts a worker and waits until it takes jobs; its log lines go to `lines`. */
async function startProcess(
  settings: Readonly<Record<string, string>>,
  lines: Line[],
  launch: Launch,
): Promise<ChildProcess> {
  const own = {
    PORT: '0',
    HOST: '127.0.0.1',
    THREADS: '1',
    DRAWING_THREADS: '1',
    DRAIN_SECONDS: '0',
    CHECK_SECONDS: '0',
    MODELS: `shapes=${shapes}`,
  };
  const { NODE_COMPILE_CACHE } = process.env;
  const child = launch({ ...own, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...settings });
  const before = lines.length;
  createInterface(child.stdout!).on('line', (line) => lines.push(JSON.parse(line)));
  while (!lines.slice(before).some(({ event }) => event === 'worker_ready')) {
    if (child.exitCode !== null) throw new Error(`the worker has ended with status ${child.exitCode}`);
    await sleep(50);
  }
  // A clock that is wrong at the start keeps the worker from its store (L13); this one goes wrong later.
  if (settings.CLOCK_AHEAD_SECONDS !== undefined) child.kill('SIGUSR2');
  return child;
}

const launchHere: Launch = (settings) => {
  const isShifted = settings.CLOCK_AHEAD_SECONDS !== undefined;
  return spawn(process.execPath, [...(isShifted ? ['--import', shiftClock] : []), main], {
    env: settings,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
};
