import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { type Meter, requestsLeft, requestWindow, secondsOfDay, unitsUsed } from '../domain/meter.ts';
import { LimitRefusal, Refusal } from '../domain/refusal.ts';

/**
 * Counts a tenant's request, and tells the client what is left of its limits. If the meter does not answer, only requests
 * that read are let through.
 *
 * @throws LimitRefusal for a request beyond the limit
 */
export async function countRequest(c: Context<AppEnv>, tenant: string): Promise<void> {
  const answer = await c.var.services
    .meter(tenant)
    .request()
    .catch((error: unknown) => {
      console.error(`${c.var.requestId}: the meter does not answer:`, error);
      return null;
    });
  if (answer) {
    for (const [name, value] of Object.entries(rateLimit(answer.meter, Date.now()))) c.header(name, value);
    if (answer.excess) throw new LimitRefusal(answer.excess);
  } else if (c.req.method !== 'GET' && c.req.method !== 'HEAD')
    throw new Refusal('capacity', 'The service cannot start anything at the moment. Try again.');
}

/** draft-ietf-httpapi-ratelimit-headers. `compute-units` and `waiting-batches` are units of our own. */
function rateLimit(meter: Meter, now: number): Record<string, string> {
  const { limits } = meter;
  const { remaining, resets_in_seconds } = requestsLeft(meter, now);
  const units = Math.max(0, limits.compute_units - unitsUsed(meter));
  const places = Math.max(0, limits.concurrency - Object.keys(meter.open).length);
  const batches = Math.max(0, limits.batches - Object.keys(meter.batches).length);
  return {
    'RateLimit-Policy': [
      `"requests";q=${limits.requests};w=${requestWindow}`,
      `"compute";q=${limits.compute_units};qu="compute-units";w=86400`,
      `"concurrency";q=${limits.concurrency};qu="concurrent-requests"`,
      `"batches";q=${limits.batches};qu="waiting-batches"`,
    ].join(', '),
    RateLimit: [
      `"requests";r=${remaining};t=${resets_in_seconds}`,
      `"compute";r=${units};t=${secondsOfDay(now)}`,
      `"concurrency";r=${places}`,
      `"batches";r=${batches}`,
    ].join(', '),
  };
}
