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
import { readAnswer } from './read-answer.ts';

const root = '/v1/webhook_endpoints';
const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;

/** The endpoints to which the service sends events. `verifyWebhook` checks an event that arrives. */
export class WebhookEndpoints {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Creates an endpoint. This answer alone contains its secret. The client does not retry if the endpoint may exist already. */
  async create(url: string): Promise<NewWebhookEndpoint> {
    return readAnswer(await this.#send('POST', root, { url }), newWebhookEndpointSchema.safeParse);
  }

  /** Lists all endpoints, newest first, without their secrets. */
  list(): AsyncGenerator<WebhookEndpoint> {
    return listed(this.#connection, root, webhookEndpointListSchema.safeParse);
  }

  async get(id: string): Promise<WebhookEndpoint> {
    return readAnswer(await this.#send('GET', pathOf(id)), webhookEndpointSchema.safeParse);
  }

  /** Changes the URL of an endpoint, disables it, or enables it. */
  async change(id: string, change: WebhookEndpointChange): Promise<WebhookEndpoint> {
    return readAnswer(await this.#send('PATCH', pathOf(id), change), webhookEndpointSchema.safeParse);
  }

  /** Deletes an endpoint and the events that wait for it. */
  async remove(id: string): Promise<void> {
    await call(this.#connection, pathOf(id), { method: 'DELETE' });
  }

  /** Creates a new secret; this answer alone contains it. The service also signs with the old one for `grace` more seconds (default: a day). */
  async rotateSecret(id: string, grace?: number): Promise<NewWebhookEndpoint> {
    const wish = grace === undefined ? {} : { grace_seconds: grace };
    return readAnswer(
      await this.#send('POST', `${pathOf(id)}/rotate_secret`, wish),
      newWebhookEndpointSchema.safeParse,
    );
  }

  /** Lists the deliveries with their attempts, newest first. */
  deliveries(id: string): AsyncGenerator<WebhookDelivery> {
    return listed(this.#connection, `${pathOf(id)}/deliveries`, webhookDeliveryListSchema.safeParse);
  }

  /** Sends an event again, with the same id. */
  async redeliver(id: string, delivery: string): Promise<WebhookDelivery> {
    const path = `${pathOf(id)}/deliveries/${encodeURIComponent(delivery)}/redeliver`;
    return readAnswer(await this.#send('POST', path), webhookDeliverySchema.safeParse);
  }

  #send(method: string, path: string, body?: unknown): Promise<Response> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return call(this.#connection, path, init);
  }
}
