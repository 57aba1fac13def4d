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

/** A client of the operator's part of the API: tenants and what they may use. Its key is the operator's. */
export class OperatorClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A new tenant with its first key, whose secret is shown this once. Not tried again once it may have been made. */
  async createTenant(name: string): Promise<Tenant> {
    const init = { method: 'POST', body: JSON.stringify({ name }) };
    return tenantSchema.parse(await (await call(this.#connection, '/v1/operator/tenants', init)).json());
  }

  /** All tenants, newest first. */
  tenants(): AsyncGenerator<TenantView> {
    return listed(this.#connection, '/v1/operator/tenants', tenantListSchema.parse);
  }

  /** Refuses a tenant everything, or takes that back. */
  async suspend(id: string, suspended = true): Promise<TenantView> {
    const path = `/v1/operator/tenants/${encodeURIComponent(id)}/${suspended ? 'suspend' : 'resume'}`;
    const response = await call(this.#connection, path, { method: 'POST' }, true);
    return tenantViewSchema.parse(await response.json());
  }

  /** Sets limits; what is left out stays. */
  async limit(
    id: string,
    limits: { requests?: number; concurrency?: number; compute_units?: number; batches?: number },
  ): Promise<LimitsView> {
    const path = `/v1/operator/tenants/${encodeURIComponent(id)}/limits`;
    const init = { method: 'PUT', body: JSON.stringify(limits) };
    return limitsSchema.parse(await (await call(this.#connection, path, init)).json());
  }
}
