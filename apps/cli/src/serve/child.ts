import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Lines of output that are kept. */
const kept = 3;

export type LogLine = (source: string, line: string) => void;

export interface ChildOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly log: LogLine;
}

/** A Node process in a process group of its own, so that it can be ended with all that it has started. */
export class Child {
  readonly name: string;
  /** Resolves when the process is gone. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Resolves when the process is gone and all that it has written is logged. */
  readonly closed: Promise<void>;
  readonly #process: ChildProcess;
  readonly #listeners = new Set<(line: string) => void>();
  readonly #lastLines: string[] = [];

  constructor({ name, args, env, log }: ChildOptions) {
    this.name = name;
    // A terminal's Ctrl-C reaches only our own group: we end the others in order.
    this.#process = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      createInterface(stream).on('line', (line) => {
        if (line.trim() !== '') {
          log(name, line);
          this.#lastLines.push(line.trim());
          if (this.#lastLines.length > kept) this.#lastLines.shift();
        }
        for (const listen of this.#listeners) listen(line);
      });
    this.closed = new Promise((resolve) => {
      this.#process.once('error', () => resolve());
      this.#process.once('close', () => resolve());
    });
    this.exited = new Promise((resolve) => {
      this.#process.once('error', () => resolve(1));
      this.#process.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
    });
  }

  /** The last lines that it has written, in one. */
  get lastWords(): string {
    return this.#lastLines.join(' | ');
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The first value that `find` finds in a line of output; undefined if the process ends before. */
  line<T>(find: (line: string) => T | undefined): Promise<T | undefined> {
    return new Promise((resolve) => {
      const listen = (line: string) => {
        const found = find(line);
        if (found === undefined) return;
        this.#listeners.delete(listen);
        resolve(found);
      };
      this.#listeners.add(listen);
      void this.exited.then(() => resolve(undefined));
    });
  }

  /** Asks the process to end, and after `patience` milliseconds ends the whole group. */
  async stop(patience: number): Promise<void> {
    const { pid } = this.#process;
    if (pid === undefined) return;
    this.#process.kill('SIGTERM');
    await Promise.race([this.exited, sleep(patience, undefined, { ref: false })]);
    killGroup(pid, 'SIGKILL');
    await this.exited;
  }
}

/** Signals all processes of a group that are left. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty.
  }
}
