import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { newId } from '../domain/ulid.ts';
import { serverTiming, timed } from '../timing.ts';

const always = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Strict-Transport-Security': 'max-age=31536000',
  'Cache-Control': 'private, no-cache',
  Vary: 'Authorization',
};

/** Gives the request its id (never the client's) and the response the headers that every response has. */
export const envelope: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set('requestId', newId('req'));
  c.set('spans', []);
  await timed(c, 'total', next);
  c.res = new Response(c.res.body, c.res);
  c.res.headers.set('Request-Id', c.var.requestId);
  c.res.headers.set('Server-Timing', serverTiming(c.var.spans));
  for (const [name, value] of Object.entries(always))
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
};
