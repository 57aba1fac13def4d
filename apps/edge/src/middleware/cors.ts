import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { originsOf } from '../env.ts';
import { responseHeaders } from '../response-headers.ts';

/** Paths that a page of another origin may call. The operator's routes are not for pages. */
const callable = /^\/(v1\/(?!operator\/)|openapi\.json$)/;

/** Headers that a page may send, beyond those that need no permission. */
const requestHeaders = [
  'Authorization',
  'Content-Type',
  'X-Api-Version',
  'Idempotency-Key',
  'Prefer',
  'Cancel-After',
  'Cache-Control',
  'If-None-Match',
  'Last-Event-ID',
  'X-Request-Id',
  'traceparent',
].join(', ');

/** Headers that a page may read. */
const exposed = [...Object.keys(responseHeaders), 'Allow', 'Server-Timing'].join(', ');

/** Seconds for which a browser may keep the answer to a preflight request; no browser keeps it for longer than two hours. */
const preflightSeconds = '7200';

/**
 * Lets pages of the origins in `CORS_ORIGINS` call the API. They send the key in a header, so no credentials of the browser are
 * allowed.
 */
export const cors: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const origins = originsOf(c.env.CORS_ORIGINS ?? '');
  if (origins.length === 0 || !callable.test(c.req.path)) return;
  c.res.headers.append('Vary', 'Origin');
  const origin = c.req.header('Origin');
  if (origin !== undefined && origins.includes(origin)) allow(c, origin);
};

function allow({ req, res }: Context<AppEnv>, origin: string): void {
  res.headers.set('Access-Control-Allow-Origin', origin);
  if (req.method === 'OPTIONS' && req.header('Access-Control-Request-Method') !== undefined) {
    res.headers.set('Access-Control-Allow-Methods', res.headers.get('Allow') ?? '');
    res.headers.set('Access-Control-Allow-Headers', requestHeaders);
    res.headers.set('Access-Control-Max-Age', preflightSeconds);
  } else res.headers.set('Access-Control-Expose-Headers', exposed);
}
