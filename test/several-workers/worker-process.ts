import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Shifts the clock of a process that loads it. */
const shiftClock = new URL('./shift-clock.ts', import.meta.url).href;
const main = fileURLToPath(new URL('../../apps/gpu-worker/src/index.ts', import.meta.url));

/** A worker as it runs in production: a process of its own. */
export class WorkerProcess {
  readonly url: string;
  /** Lines that it has written to its log. */
  readonly lines: readonly Record<string, unknown>[];
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string, lines: Record<string, unknown>[]) {
    this.#process = process;
    this.url = url;
    this.lines = lines;
  }

  /** Starts a worker, and waits until its models are loaded. `CLOCK_AHEAD_SECONDS` is for its clock, all other settings are its own. */
  static async start(settings: Readonly<Record<string, string>>): Promise<WorkerProcess> {
    const own = {
      PORT: '0',
      HOST: '127.0.0.1',
      THREADS: '1',
      DRAWING_THREADS: '1',
      DRAIN_SECONDS: '0',
      CHECK_SECONDS: '0',
    };
    const isShifted = settings.CLOCK_AHEAD_SECONDS !== undefined;
    const child = spawn(process.execPath, [...(isShifted ? ['--import', shiftClock] : []), main], {
      env: { ...own, ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: Record<string, unknown>[] = [];
    const reader = createInterface(child.stdout);
    reader.on('line', (line) => lines.push(JSON.parse(line)));
    await once(reader, 'line');
    const worker = new WorkerProcess(child, String(lines[0]!.url), lines);
    // By its log: while it loads models on a busy machine, it may close a connection that is kept alive.
    while (worker.linesOf('worker_ready').length === 0) {
      if (child.exitCode !== null) throw new Error(`the worker ended with status ${child.exitCode}`);
      await sleep(50);
    }
    return worker;
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

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
  }
}
