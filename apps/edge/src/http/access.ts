import type { Scope } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { audited } from '../middleware/audited.ts';
import { authenticate, authenticateOperator, authenticateScaler } from '../middleware/authenticate.ts';
import { signedByWorker } from '../middleware/signed-by-worker.ts';

/** The callers of a route: a tenant's key with this scope, the holder of another key, the worker, or anyone. */
export type Access = Scope | 'operator' | 'scaler' | 'worker' | 'public';

type Variables = AppEnv['Variables'];

/** Variables of a request that are set when its handler begins. */
export type Known<A extends Access> = A extends Scope
  ? Omit<Variables, 'tenant'> & { readonly tenant: string }
  : Omit<Variables, 'tenant' | 'caller' | 'newId' | (A extends 'public' ? 'services' : never)>;

/** Whether tenants call the route, with a key that has a scope. */
export const isScope = (access: Access): access is Scope =>
  !['operator', 'scaler', 'worker', 'public'].includes(access);

interface Guard {
  /** The scheme as the OpenAPI document names it. */
  readonly security?: Record<string, string[]>[];
  readonly middleware: MiddlewareHandler<AppEnv>[];
}

/** Checks the caller, then reads the body. The worker's signature covers the body, so there the body is read first. */
export function guardOf(access: Access, readBody: MiddlewareHandler<AppEnv>[]): Guard {
  switch (access) {
    case 'public':
      return { middleware: readBody };
    case 'worker':
      return { security: [{ workerSignature: [] }], middleware: [...readBody, signedByWorker] };
    case 'scaler':
      return { security: [{ backlogKey: [] }], middleware: [authenticateScaler, ...readBody] };
    case 'operator':
      return { security: [{ operatorKey: [] }], middleware: [audited, authenticateOperator, ...readBody] };
    default:
      return { security: [{ apiKey: [] }], middleware: [audited, authenticate(access), ...readBody] };
  }
}
