import { olderForm } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { Refusal } from '../domain/refusal.ts';

/** Answers have the form of this version, unless a request names the earlier one. */
const apiVersion = '2026-12-01';
const earlierVersion = '2026-11-01';

/** When `apiVersion` took the place of `earlierVersion`: seconds of a date, as RFC 9745 writes it. */
const outOfDateSince = `@${Date.parse(apiVersion) / 1000}`;

/** Paths that answer with something else than JSON. */
const notJson = /\/(events|artifacts\/[^/]+)$/;

/** Gives answers the form of the version that the request names. Refuses an unknown version, and a type other than JSON. */
export const negotiation: MiddlewareHandler<AppEnv> = async (c, next) => {
  const version = c.req.header('X-Api-Version');
  if (version !== undefined && version !== apiVersion && version !== earlierVersion)
    throw new Refusal('invalid_version', `X-Api-Version: expected ${apiVersion} or ${earlierVersion}.`);
  if (!notJson.test(c.req.path) && !acceptsJson(c.req.header('Accept')))
    throw new Refusal(
      'not_acceptable',
      'Accept: expected a range that includes application/json, the type of the answer.',
    );
  await next();
  const isJson = c.res.headers.get('Content-Type')?.startsWith('application/json') ?? false;
  if (version === earlierVersion && c.res.ok && isJson) {
    c.res = Response.json(olderForm(await c.res.json()), c.res);
    c.res.headers.set('Deprecation', outOfDateSince);
  }
};

/** Whether an Accept header (RFC 9110) leaves room for JSON. */
function acceptsJson(accept = '*/*'): boolean {
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return (
      !refused && ['*/*', 'application/*', 'application/json', 'application/problem+json'].includes(type)
    );
  });
}
