import { DurableObject } from 'cloudflare:workers';
import type { WebhookDeliveriesPort } from '../domain/ports.ts';
import {
  type Attempt,
  type Delivery,
  newDelivery,
  recordAttempt,
  restartDelivery,
} from '../domain/webhook-delivery.ts';
import type { WebhookEvent } from '../domain/webhook-event.ts';
import { signedHeaders } from '../domain/webhook-secret.ts';
import { isName, webhookUrl } from '../domain/webhook-url.ts';
import { type Bindings, settings } from '../env.ts';
import { HostLookup } from '../storage/host-lookup.ts';
import { type EndpointRow, WebhookEndpoints } from '../storage/webhook-endpoints.ts';

/** Milliseconds within which an endpoint must answer. */
const answerTime = 15_000;
/** Deliveries at a time: a Worker has six connections. */
const atATime = 5;
/** Deliveries that may wait for one endpoint, and deliveries that this object remembers. */
const mostWaiting = 5_000;
const remembered = 1_000;
/** Milliseconds before the next round after one that failed. */
const pause = 60_000;

/** The endpoint to which this object delivers. */
interface Address {
  readonly tenant: string;
  readonly id: string;
}

const name = (id: string): string => `delivery/${id}`;

/**
 * Delivers events to one webhook endpoint. The id identifies an event: handed over twice, it is sent once. The alarm
 * retries failed deliveries by a schedule, and disables an endpoint that accepts none for days.
 */
export class WebhookDeliveries extends DurableObject<Bindings> implements WebhookDeliveriesPort {
  /** Times at which waiting deliveries are due, by id. */
  #due: Readonly<Record<string, number>> = {};

  constructor(context: DurableObjectState, bindings: Bindings) {
    super(context, bindings);
    context.blockConcurrencyWhile(async () => {
      this.#due = (await context.storage.get<Record<string, number>>('due')) ?? {};
    });
  }

  async deliver(address: Address, event: WebhookEvent): Promise<void> {
    if (await this.#find(event.id)) return;
    if (Object.keys(this.#due).length >= mostWaiting) throw new Error('too many deliveries wait');
    await this.ctx.storage.put('address', address);
    await this.#keep(newDelivery(event, Date.now()));
    const count = ((await this.ctx.storage.get<number>('count')) ?? 0) + 1;
    await this.ctx.storage.put('count', count);
    if (count % 100 === 0) await this.#forgetOld();
  }

  /** Sends an event again, whatever its status. @returns null if this object does not know it */
  async redeliver(id: string): Promise<Delivery | null> {
    const delivery = await this.#find(id);
    if (!delivery) return null;
    const next = restartDelivery(delivery, Date.now());
    await this.#keep(next);
    return next;
  }

  /** Newest first, after the id `before`. */
  async list(limit: number, before: string | null): Promise<Delivery[]> {
    const end = before === null ? {} : { end: name(before) };
    const found = await this.ctx.storage.list<Delivery>({
      prefix: 'delivery/',
      reverse: true,
      limit,
      ...end,
    });
    return [...found.values()];
  }

  /** Deletes all deliveries, because the endpoint has been deleted. */
  async forget(): Promise<void> {
    this.#due = {};
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    await this.#deliverDue().catch(async (error: unknown) => {
      // The platform retries a failed alarm only a few times; these deliveries must outlast a longer outage.
      console.error('the deliveries of an endpoint failed; the alarm tries them again', error);
      await this.ctx.storage.setAlarm(Date.now() + pause);
    });
  }

  async #deliverDue(): Promise<void> {
    const now = Date.now();
    const ready = Object.entries(this.#due).flatMap(([id, due]) => (due <= now ? [id] : []));
    const address = await this.ctx.storage.get<Address>('address');
    const endpoints = new WebhookEndpoints(this.env.DB);
    const endpoint = address ? await endpoints.find(address.tenant, address.id) : null;
    if (!endpoint) return this.forget();
    await Promise.all(ready.slice(0, atATime).map((id) => this.#try(id, endpoint, endpoints)));
    await this.#schedule();
  }

  async #try(id: string, endpoint: EndpointRow, endpoints: WebhookEndpoints): Promise<void> {
    const delivery = await this.#find(id);
    if (!delivery || delivery.nextAt === null) return this.#settle(id, null);
    const at = Date.now();
    const attempt: Attempt =
      endpoint.status === 'enabled'
        ? { at, ...(await this.#send(delivery, endpoint)) }
        : { at, status: null, error: 'endpoint_disabled' };
    const next = recordAttempt(delivery, attempt, attempt.status === 410 || endpoint.status === 'disabled');
    await this.#keep(next);
    if (attempt.error === null) await this.ctx.storage.put('succeededAt', at);
    else if (next.status === 'failed' && endpoint.status === 'enabled')
      await this.#disableIfDead(next, attempt, endpoint, endpoints);
  }

  /** Disables an endpoint that answers 410, or that accepted nothing during all tries of an event. */
  async #disableIfDead(
    { createdAt }: Delivery,
    { status }: Attempt,
    endpoint: EndpointRow,
    endpoints: WebhookEndpoints,
  ): Promise<void> {
    const succeededAt = (await this.ctx.storage.get<number>('succeededAt')) ?? 0;
    if (status !== 410 && succeededAt > createdAt) return;
    const reason =
      status === 410 ? 'The endpoint answered 410 Gone.' : 'The endpoint has accepted nothing for days.';
    await endpoints.change(endpoint, { status: 'disabled', reason });
  }

  async #send({ id, payload }: Delivery, endpoint: EndpointRow): Promise<Pick<Attempt, 'status' | 'error'>> {
    const { WEBHOOK_SECRET, WEBHOOKS_ALLOW_LOOPBACK, DNS_OVER_HTTPS_URL } = settings(this.env);
    try {
      // Checked each time: since the client gave the URL, our rules or the name's address may have changed.
      const url = webhookUrl(endpoint.url, WEBHOOKS_ALLOW_LOOPBACK);
      const objection = isName(url)
        ? await new HostLookup(DNS_OVER_HTTPS_URL).findObjection(url.hostname)
        : null;
      if (objection) return { status: null, error: objection };
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          ...(await signedHeaders(WEBHOOK_SECRET ?? '', endpoint, { id, payload }, Date.now())),
          'Content-Type': 'application/json',
          'User-Agent': 'Whylight-Webhooks/1',
        },
        body: payload,
        redirect: 'manual',
        signal: AbortSignal.timeout(answerTime),
      });
      // We do not read the body, whatever it contains and however long it is.
      await response.body?.cancel();
      const { status, ok } = response;
      return { status, error: ok ? null : status >= 300 && status < 400 ? 'redirect' : 'refused' };
    } catch (error) {
      const { name: kind } = error as Error;
      return {
        status: null,
        error: kind === 'TimeoutError' ? 'timeout' : kind === 'Refusal' ? 'forbidden_url' : 'unreachable',
      };
    }
  }

  async #find(id: string): Promise<Delivery | null> {
    return (await this.ctx.storage.get<Delivery>(name(id))) ?? null;
  }

  async #keep(delivery: Delivery): Promise<void> {
    await this.ctx.storage.put(name(delivery.id), delivery);
    await this.#settle(delivery.id, delivery.nextAt);
  }

  async #settle(id: string, dueAt: number | null): Promise<void> {
    const others = Object.entries(this.#due).filter(([other]) => other !== id);
    this.#due = Object.fromEntries(dueAt === null ? others : [...others, [id, dueAt]]);
    await this.ctx.storage.put('due', this.#due);
    await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const due = Math.min(...Object.values(this.#due));
    await (due === Infinity ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(due));
  }

  async #forgetOld(): Promise<void> {
    const all = await this.ctx.storage.list<Delivery>({
      prefix: 'delivery/',
      reverse: true,
      limit: 2 * remembered,
    });
    const old = [...all.values()].slice(remembered).filter(({ nextAt }) => nextAt === null);
    await this.ctx.storage.delete(old.map(({ id }) => name(id)));
  }
}
