import type { TraceContext } from '@whylight/contract';
import type { Bindings } from './env.ts';
import type { Services } from './services.ts';
import type { Caller } from './storage/tenants.ts';

/** Parts of a request whose time is measured; `total` is the whole request. */
export type Span = 'auth' | 'limit' | 'idempotency' | 'cache' | 'queue' | 'total';

/** The members of Hono's context. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    requestId: string;
    /** The request's own span, a child of the caller's span if there is one. */
    trace: TraceContext;
    /** Milliseconds that each part has taken so far. */
    spans: [Span, number][];
    services: Services;
    /** Set by `authenticate`, so only on a tenant's routes. */
    caller: Caller;
    /** For the audit trail: the tenant whose resources the request uses, and the id of its key. */
    tenant?: string;
    actor?: string;
    /** For the audit trail: the id of what the request has created, if its path does not contain it. */
    subject?: string;
    /** Set by `idempotent`: the id of what the request creates. */
    newId: string;
  };
}
