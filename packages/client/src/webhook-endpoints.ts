import {
  type NewWebhookEndpoint,
  newWebhookEndpointSchema,
  type WebhookDelivery,
  type WebhookEndpoint,
  type WebhookEndpointChange,
  webhookDeliveryListSchema,
  webhookDeliverySchema,
  webhookEndpointListSchema,
  webhookEndpointSchema,
} from '@whylight/contract';
import { type Connection, call, listed } from './http.ts';

const root = '/v1/webhook_endpoints';
const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;

/** Where the service tells of what has ended; `verifyWebhook` checks what comes there. */
export class WebhookEndpoints {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A new endpoint; its secret is shown this once. Not tried again once it may have been made. */
  async create(url: string): Promise<NewWebhookEndpoint> {
    return newWebhookEndpointSchema.parse(await this.#send('POST', root, { url }));
  }

  /** All endpoints, newest first, without their secrets. */
  list(): AsyncGenerator<WebhookEndpoint> {
    return listed(this.#connection, root, webhookEndpointListSchema.parse);
  }

  async get(id: string): Promise<WebhookEndpoint> {
    return webhookEndpointSchema.parse(await this.#send('GET', pathOf(id)));
  }

  /** Changes its address, disables it, or enables it again. */
  async change(id: string, change: WebhookEndpointChange): Promise<WebhookEndpoint> {
    return webhookEndpointSchema.parse(await this.#send('PATCH', pathOf(id), change));
  }

  /** Deletes an endpoint, and what waits for it. */
  async remove(id: string): Promise<void> {
    await call(this.#connection, pathOf(id), { method: 'DELETE' });
  }

  /** A new secret, shown this once; the old one signs too for `grace` more seconds, a day unless said. */
  async rotateSecret(id: string, grace?: number): Promise<NewWebhookEndpoint> {
    const wish = grace === undefined ? {} : { grace_seconds: grace };
    return newWebhookEndpointSchema.parse(await this.#send('POST', `${pathOf(id)}/rotate_secret`, wish));
  }

  /** What was sent, newest first, and what became of it. */
  deliveries(id: string): AsyncGenerator<WebhookDelivery> {
    return listed(this.#connection, `${pathOf(id)}/deliveries`, webhookDeliveryListSchema.parse);
  }

  /** Sends it again, under the same id. */
  async redeliver(id: string, delivery: string): Promise<WebhookDelivery> {
    const path = `${pathOf(id)}/deliveries/${encodeURIComponent(delivery)}/redeliver`;
    return webhookDeliverySchema.parse(await this.#send('POST', path));
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return (await call(this.#connection, path, init)).json();
  }
}
