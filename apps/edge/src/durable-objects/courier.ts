import { DurableObject } from 'cloudflare:workers';
import { type Attempt, after, again, type Delivery, newDelivery } from '../domain/delivery.ts';
import type { CourierPort } from '../domain/ports.ts';
import type { WebhookEvent } from '../domain/webhook-event.ts';
import { signedHeaders } from '../domain/webhook-secret.ts';
import { isName, webhookUrl } from '../domain/webhook-url.ts';
import { type Bindings, settings } from '../env.ts';
import { Names } from '../storage/names.ts';
import { type EndpointRow, WebhookEndpoints } from '../storage/webhook-endpoints.ts';

/** Milliseconds that an endpoint has for its answer. */
const patience = 15_000;
/** Deliveries at a time: a Worker has six connections. */
const atATime = 5;
/** Deliveries that may wait for an endpoint, and that are remembered. */
const mostWaiting = 5_000;
const remembered = 1_000;
/** Milliseconds before another round when one could not be made. */
const pause = 60_000;

/** Whose courier it is. */
interface Address {
  readonly tenant: string;
  readonly id: string;
}

const name = (id: string): string => `delivery/${id}`;

/**
 * Brings events to one webhook endpoint. An event is told by its id: told twice it is sent once. What does not arrive
 * is tried again by a schedule, on the alarm; whose events none arrive any more is disabled.
 */
export class Courier extends DurableObject<Bindings> implements CourierPort {
  /** When deliveries that wait are due, by id. */
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

  /** Sends an event again, whatever has become of it. @returns null when it is not known */
  async redeliver(id: string): Promise<Delivery | null> {
    const delivery = await this.#find(id);
    if (!delivery) return null;
    const next = again(delivery, Date.now());
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

  /** The endpoint is no more. */
  async forget(): Promise<void> {
    this.#due = {};
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    await this.#round().catch(async (error: unknown) => {
      // The platform tries an alarm that fails a few times; what waits here must outlast a longer outage.
      console.error('deliveries were not tried', error);
      await this.ctx.storage.setAlarm(Date.now() + pause);
    });
  }

  async #round(): Promise<void> {
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
    const next = after(delivery, attempt, attempt.status === 410 || endpoint.status === 'disabled');
    await this.#keep(next);
    if (attempt.error === null) await this.ctx.storage.put('succeededAt', at);
    else if (next.status === 'failed' && endpoint.status === 'enabled')
      await this.#judge(next, attempt, endpoint, endpoints);
  }

  /** Of an endpoint that says it is gone, or that took nothing while an event was tried to the last, no more is asked. */
  async #judge(
    { createdAt }: Delivery,
    { status }: Attempt,
    endpoint: EndpointRow,
    endpoints: WebhookEndpoints,
  ): Promise<void> {
    const succeededAt = (await this.ctx.storage.get<number>('succeededAt')) ?? 0;
    if (status !== 410 && succeededAt > createdAt) return;
    const reason = status === 410 ? 'The endpoint answered 410 Gone.' : 'Nothing has arrived for days.';
    await endpoints.change(endpoint, { status: 'disabled', reason });
  }

  async #send({ id, payload }: Delivery, endpoint: EndpointRow): Promise<Pick<Attempt, 'status' | 'error'>> {
    const { WEBHOOK_SECRET, WEBHOOKS_ALLOW_LOOPBACK, DNS_OVER_HTTPS_URL } = settings(this.env);
    try {
      // Judged each time: the rules may have changed since the address was given, and a name leads elsewhere.
      const url = webhookUrl(endpoint.url, WEBHOOKS_ALLOW_LOOPBACK);
      const objection = isName(url) ? await new Names(DNS_OVER_HTTPS_URL).objection(url.hostname) : null;
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
        signal: AbortSignal.timeout(patience),
      });
      // Whatever it says, however long it goes on: nothing of it is read.
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
