import {
  type LimitsView,
  limitsSchema,
  type Tenant,
  type TenantView,
  tenantListSchema,
  tenantSchema,
  tenantViewSchema,
} from '@whylight/contract';
import { type Connection, call, listed } from './http.ts';
import { readAnswer } from './read-answer.ts';

/** A client of the operator's part of the API: tenants and their limits. It needs the operator's key. */
export class OperatorClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Creates a tenant with its first key. This answer alone contains the secret. The client does not retry if the tenant may exist already. */
  async createTenant(name: string): Promise<Tenant> {
    const init = { method: 'POST', body: JSON.stringify({ name }) };
    return readAnswer(await call(this.#connection, '/v1/operator/tenants', init), tenantSchema.safeParse);
  }

  /** Lists all tenants, newest first. */
  tenants(): AsyncGenerator<TenantView> {
    return listed(this.#connection, '/v1/operator/tenants', tenantListSchema.safeParse);
  }

  /** Suspends a tenant, or ends its suspension. */
  async suspend(id: string, suspended = true): Promise<TenantView> {
    const path = `/v1/operator/tenants/${encodeURIComponent(id)}/${suspended ? 'suspend' : 'resume'}`;
    const response = await call(this.#connection, path, { method: 'POST' }, true);
    return readAnswer(response, tenantViewSchema.safeParse);
  }

  /** Sets limits. Omitted limits stay as they are. */
  async limit(
    id: string,
    limits: { requests?: number; concurrency?: number; compute_units?: number; batches?: number },
  ): Promise<LimitsView> {
    const path = `/v1/operator/tenants/${encodeURIComponent(id)}/limits`;
    const init = { method: 'PUT', body: JSON.stringify(limits) };
    return readAnswer(await call(this.#connection, path, init), limitsSchema.safeParse);
  }
}
