import { childOf, traceOf } from '@whylight/contract';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { AppEnv } from '../app-env.ts';
import { newId } from '../domain/ulid.ts';
import { measure, serverTiming } from '../timing.ts';

const commonHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Strict-Transport-Security': 'max-age=31536000',
  'Cache-Control': 'private, no-cache',
  Vary: 'Authorization, X-Api-Version',
};

/** Gives the request its id (the client's is echoed beside it) and the response the headers that every response has. */
export const envelope: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set('requestId', newId('req'));
  c.set('trace', childOf(traceOf(c.req.header('traceparent'))));
  c.set('spans', []);
  await measure(c, 'total', next);
  c.res = new Response(c.res.body, c.res);
  c.res.headers.set('Request-Id', c.var.requestId);
  const theirs = c.req.header('X-Request-Id');
  if (theirs && /^[\x21-\x7e]{1,128}$/.test(theirs)) c.res.headers.set('X-Request-Id', theirs);
  c.res.headers.set('Server-Timing', serverTiming(c.var.spans));
  for (const [name, value] of Object.entries(commonHeaders))
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  if (c.env.REQUEST_LOG !== 'off') console.log(JSON.stringify(logLine(c)));
};

/** Builds the log's line about a request: it has its route, but no path, no query and no header. */
function logLine(c: Context<AppEnv>): object {
  const { requestId, trace, spans, tenant, actor } = c.var;
  return {
    time: new Date().toISOString(),
    event: 'request',
    request_id: requestId,
    trace_id: trace.traceId,
    span_id: trace.spanId,
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    ...(tenant === undefined ? {} : { tenant, actor }),
    milliseconds: Object.fromEntries(spans),
  };
}
