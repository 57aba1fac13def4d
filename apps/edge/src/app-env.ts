import type { Bindings } from './env.ts';
import type { Services } from './services.ts';
import type { Caller } from './storage/tenants.ts';

/** What Hono's context carries. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    requestId: string;
    services: Services;
    /** Set by `authenticate`, so only on a tenant's routes. */
    caller: Caller;
    /** Set by `idempotent`: the id of what the request creates. */
    newId: string;
  };
}
