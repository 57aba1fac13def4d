import type { TraceContext } from '@whylight/contract';
import type { Bindings } from './env.ts';
import type { Services } from './services.ts';
import type { Caller } from './storage/tenants.ts';

/** What a request spends its time on; `total` is all of it. */
export type Span = 'auth' | 'limit' | 'idempotency' | 'cache' | 'queue' | 'total';

/** What Hono's context carries. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    requestId: string;
    /** The request's own span, below the caller's where that has one. */
    trace: TraceContext;
    /** What has taken how many milliseconds so far. */
    spans: [Span, number][];
    services: Services;
    /** Set by `authenticate`, so only on a tenant's routes. */
    caller: Caller;
    /** Whose resources the request is about, and the id of the key that it came with: for the audit trail. */
    tenant?: string;
    actor?: string;
    /** Id of what the request has made, where its path does not say it. */
    subject?: string;
    /** Set by `idempotent`: the id of what the request creates. */
    newId: string;
  };
}
