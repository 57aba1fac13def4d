import { olderForm } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { Refusal } from '../domain/refusal.ts';

/** The version of this API that answers have unless a request names the one before. */
const apiVersion = '2026-12-01';
const earlierVersion = '2026-11-01';

/** Paths that answer with something else than JSON. */
const other = /\/(events|artifacts\/[^/]+)$/;

/** Gives answers the form of the version that the request names. Refuses a version or a form of answer that there is not. */
export const negotiation: MiddlewareHandler<AppEnv> = async (c, next) => {
  const version = c.req.header('X-Api-Version');
  if (version !== undefined && version !== apiVersion && version !== earlierVersion)
    throw new Refusal('invalid_version', `X-Api-Version: expected ${apiVersion} or ${earlierVersion}.`);
  if (!other.test(c.req.path) && !acceptsJson(c.req.header('Accept')))
    throw new Refusal('not_acceptable', 'Answers are application/json.');
  await next();
  const isJson = c.res.headers.get('Content-Type')?.startsWith('application/json') ?? false;
  if (version === earlierVersion && c.res.ok && isJson)
    c.res = Response.json(olderForm(await c.res.json()), c.res);
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
