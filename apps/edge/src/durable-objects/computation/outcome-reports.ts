import { getOwn } from '@whylight/core/methods';
import { seenBy, untold } from '../../domain/riders.ts';
import { meterId, type Run, unitsSpent } from '../../domain/run.ts';
import { endOf } from '../../domain/webhook-event.ts';
import type { Bindings } from '../../env.ts';

/** Tells the tenant's meter of the end of `run`. @returns whether the meter has heard it */
export async function reportToMeter({ METER }: Bindings, run: Run): Promise<boolean> {
  try {
    await METER.getByName(run.submission.tenant).end(meterId(run), unitsSpent(run));
    return true;
  } catch (error) {
    console.error('the end of a run was not metered', error);
    return false;
  }
}

/** Hands the ends that a webhook is to be told of to its courier. @returns the riders whose courier has them */
export async function notifyWebhooks({ WEBHOOK_DELIVERIES }: Bindings, run: Run): Promise<string[]> {
  const heard = await Promise.all(
    untold(run).map(async (id) => {
      const endpoint = getOwn(run.riders, id)!.webhook!;
      const address = { tenant: run.submission.tenant, id: endpoint };
      try {
        await WEBHOOK_DELIVERIES.getByName(endpoint).deliver(address, endOf(id, seenBy(run, id)));
        return [id];
      } catch (error) {
        console.error('a webhook was not told', error);
        return [];
      }
    }),
  );
  return heard.flat();
}
