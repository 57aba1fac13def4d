import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { Refusal } from '../domain/refusal.ts';

/** The one version of this API; a request may name it. */
export const apiVersion = '2026-11-01';

/** Paths that answer with something else than JSON. */
const other = /\/(events|artifacts\/[^/]+)$/;

/** Refuses a request for a version or a form of answer that there is not. */
export const negotiation: MiddlewareHandler<AppEnv> = async (c, next) => {
  const version = c.req.header('X-Api-Version');
  if (version !== undefined && version !== apiVersion)
    throw new Refusal('invalid_version', `X-Api-Version: expected ${apiVersion}.`);
  if (!other.test(c.req.path) && !takesJson(c.req.header('Accept')))
    throw new Refusal('not_acceptable', 'Answers are application/json.');
  return next();
};

/** Whether an Accept header (RFC 9110) leaves room for JSON. */
function takesJson(accept = '*/*'): boolean {
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return (
      !refused && ['*/*', 'application/*', 'application/json', 'application/problem+json'].includes(type)
    );
  });
}
