import { getOwn } from '@whylight/core/methods';
import { deliveryTime, isTerminal, meterId, type Run, unitsSpent } from '../../domain/run.ts';
import { isUnreported, markNotified, unnotifiedWaiters, viewRun } from '../../domain/waiters.ts';
import { endEvent } from '../../domain/webhook-event.ts';
import type { Services } from '../../services.ts';
import type { AlarmTask } from './alarm-task.ts';
import type { Runs } from './runs.ts';

/** Reports the ends of runs to the tenant's meter, and those of waiters to their webhooks; the alarm tries it again. */
export class OutcomeReports implements AlarmTask {
  readonly #runs: Runs;
  readonly #services: () => Services;
  #again = 0;

  constructor(runs: Runs, services: () => Services) {
    this.#runs = runs;
    this.#services = services;
  }

  get due(): number {
    return this.#runs.open.some(isUnreported) ? this.#again : Infinity;
  }

  async act(): Promise<void> {
    for (const run of this.#runs.open) await this.send(run);
  }

  /** Reports what has ended of `run`. */
  async send(run: Run): Promise<void> {
    if (!isUnreported(run)) return;
    this.#again = Date.now() + deliveryTime;
    if (isTerminal(run) && !run.metered && (await this.#meter(run)))
      await this.#amend(run, (now) => ({ ...now, metered: true }));
    const notified = await this.#notify(run);
    if (notified.length > 0) await this.#amend(run, (now) => markNotified(now, notified));
  }

  /** The run may have changed while meter and webhooks were told. */
  async #amend(run: Run, change: (now: Run) => Run): Promise<void> {
    await this.#runs.amend(change((await this.#runs.find(run.number)) ?? run));
  }

  /** @returns whether the meter has counted the end */
  async #meter(run: Run): Promise<boolean> {
    try {
      await this.#services().meter(run.submission.tenant).end(meterId(run), unitsSpent(run));
      return true;
    } catch (error) {
      console.error('the meter did not count the end of a run; the alarm tries it again', error);
      return false;
    }
  }

  /** @returns the waiters whose webhook has its event */
  async #notify(run: Run): Promise<string[]> {
    const notified = await Promise.all(
      unnotifiedWaiters(run).map(async (id) => {
        const endpoint = getOwn(run.waiters, id)!.webhook!;
        const address = { tenant: run.submission.tenant, id: endpoint };
        try {
          await this.#services()
            .webhookDeliveries(endpoint)
            .deliver(address, endEvent(id, viewRun(run, id)));
          return [id];
        } catch (error) {
          console.error('an event was not handed over to a webhook; the alarm tries it again', error);
          return [];
        }
      }),
    );
    return notified.flat();
  }
}
