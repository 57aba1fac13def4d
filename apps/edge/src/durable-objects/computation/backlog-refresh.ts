import { isTerminal } from '../../domain/run.ts';
import type { Services } from '../../services.ts';
import { refreshTime } from '../../storage/backlog.ts';
import type { AlarmTask } from './alarm-task.ts';
import type { Runs } from './runs.ts';

const name = 'backlog-refresh';

/**
 * Keeps the run under way in the backlog, however long it waits or runs. The time of the next refresh is stored, so that an
 * object that starts often does not refresh often.
 */
export class BacklogRefresh implements AlarmTask {
  readonly #storage: DurableObjectStorage;
  readonly #runs: Runs;
  readonly #services: () => Services;
  #next = 0;

  constructor(storage: DurableObjectStorage, runs: Runs, services: () => Services) {
    this.#storage = storage;
    this.#runs = runs;
    this.#services = services;
  }

  async load(): Promise<void> {
    this.#next = (await this.#storage.get<number>(name)) ?? 0;
  }

  get due(): number {
    const { last } = this.#runs;
    return last && !isTerminal(last) ? this.#next : Infinity;
  }

  async act(now: number): Promise<void> {
    this.#next = now + refreshTime;
    await this.#storage.put(name, this.#next);
    await this.#services().backlog.enter('computation', this.#runs.last!.submission.key);
  }
}
