import { type ChildProcess, spawn } from 'node:child_process';
import { Failure } from '../failure.ts';
import { Child, killGroup, type LogLine } from './child.ts';
import { inheritedEnvironment } from './env.ts';
import { programFile } from './program.ts';

/** Milliseconds for a child of the whole service to end by itself; all together stay within five seconds. */
const usualPatience = 3500;

/** The processes of one service, and a guard beside them that ends them should we be killed. */
export class Processes {
  readonly #log: LogLine;
  readonly #patience: number;
  readonly #children = new Set<Child>();
  readonly #guard: ChildProcess;
  #stopping = false;

  /** @param patience milliseconds for a child to end by itself */
  constructor(log: LogLine, patience = usualPatience) {
    this.#log = log;
    this.#patience = patience;
    this.#guard = spawn(process.execPath, [programFile('#guard')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
  }

  /** Starts a Node program. @throws Failure once `stop` was called */
  start(name: string, args: readonly string[], settings: Readonly<Record<string, string>>): Child {
    if (this.#stopping) throw new Failure('the service is being stopped');
    const env = { ...inheritedEnvironment(), ...settings };
    const child = new Child({ name, args, env, log: this.#log });
    this.#children.add(child);
    this.#tell(`${child.pid}`);
    void child.exited.then(() => {
      // Processes that it has started end with it; after that its pid may become another process's.
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
      this.#tell(`-${child.pid}`);
      this.#children.delete(child);
    });
    return child;
  }

  /** Ends everything, within the patience and the time to kill the rest. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(Array.from(this.#children, (child) => child.stop(this.#patience)));
    this.#guard.stdin?.end();
  }

  #tell(line: string): void {
    this.#guard.stdin?.write(`${line}\n`);
  }
}
