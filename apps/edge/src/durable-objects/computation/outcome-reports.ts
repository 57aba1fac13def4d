import { getOwn } from '@whylight/core/methods';
import { meterId, type Run, unitsSpent } from '../../domain/run.ts';
import { unnotifiedWaiters, viewRun } from '../../domain/waiters.ts';
import { endEvent } from '../../domain/webhook-event.ts';
import type { Bindings } from '../../env.ts';

/** Reports the end of `run` to the tenant's meter. @returns whether the meter has counted it */
export async function reportToMeter({ METER }: Bindings, run: Run): Promise<boolean> {
  try {
    await METER.getByName(run.submission.tenant).end(meterId(run), unitsSpent(run));
    return true;
  } catch (error) {
    console.error('the meter did not count the end of a run; the alarm tries it again', error);
    return false;
  }
}

/** Hands the outcomes of waiters over to their webhooks. @returns the waiters whose webhook has its event */
export async function notifyWebhooks({ WEBHOOK_DELIVERIES }: Bindings, run: Run): Promise<string[]> {
  const notified = await Promise.all(
    unnotifiedWaiters(run).map(async (id) => {
      const endpoint = getOwn(run.waiters, id)!.webhook!;
      const address = { tenant: run.submission.tenant, id: endpoint };
      try {
        await WEBHOOK_DELIVERIES.getByName(endpoint).deliver(address, endEvent(id, viewRun(run, id)));
        return [id];
      } catch (error) {
        console.error('an event was not handed over to a webhook; the alarm tries it again', error);
        return [];
      }
    }),
  );
  return notified.flat();
}
