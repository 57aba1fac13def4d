import { OpenAPIHono, type z } from '@hono/zod-openapi';
import { problemSchema, type Scope } from '@whylight/contract';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from './app-env.ts';
import { refusalOf } from './domain/validation.ts';
import { audited } from './middleware/audited.ts';
import { authenticate, authenticateOperator } from './middleware/authenticate.ts';
import { jsonBody, largestBody } from './middleware/json-body.ts';

/** A group of routes whose invalid input ends in one kind of problem. */
export const routes = (): OpenAPIHono<AppEnv> =>
  new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success)
        throw refusalOf(result.error as z.ZodError, 'data' in result ? result.data : undefined);
    },
  });

const usualBody = jsonBody(largestBody);
const bodyIfAny: MiddlewareHandler<AppEnv> = (c, next) =>
  ['POST', 'PUT', 'PATCH'].includes(c.req.method) ? usualBody(c, next) : next();

/** Security, middleware and body limit of a route that a tenant's key with `scope` opens; `more` runs after them. */
export const tenantRoute = (scope: Scope, ...more: MiddlewareHandler<AppEnv>[]) => ({
  security: [{ apiKey: [scope] }],
  middleware: [audited, authenticate(scope), bodyIfAny, ...more],
});

/** The same for a body that may have so many bytes. */
export const tenantRouteUpTo = (largest: number, scope: Scope) => ({
  security: [{ apiKey: [scope] }],
  middleware: [audited, authenticate(scope), jsonBody(largest)],
});

/** The same for a POST without a body. */
export const tenantAction = (scope: Scope) => ({
  security: [{ apiKey: [scope] }],
  middleware: [audited, authenticate(scope)],
});

/** The same for the operator's key. */
export const operatorRoute = {
  tags: ['operator'],
  security: [{ operatorKey: [] }],
  middleware: [audited, authenticateOperator, bodyIfAny],
};

/** The same for a POST without a body. */
export const operatorAction = {
  tags: ['operator'],
  security: [{ operatorKey: [] }],
  middleware: [audited, authenticateOperator],
};

export const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const body = <S extends z.ZodType>(schema: S) => ({
  body: { required: true, content: { 'application/json': { schema } } },
});

/** What every route may answer instead. */
export const declined = {
  default: {
    description: 'The request is refused',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};

export const document = {
  openapi: '3.1.0',
  info: {
    title: 'Whylight',
    version: '1',
    description:
      'Explains what an image classifier looked at. Announce a photo (`POST /v1/uploads`), PUT its bytes to the ' +
      'signed URL, ask (`POST /v1/explanations`), fetch the pictures. What was asked before is answered at once. ' +
      'Answers have the form of version 2026-12-01, which this document describes. The header ' +
      '`X-Api-Version: 2026-11-01` gets the form of before: `score` is the probability, a warning is one string, ' +
      'a target has its short form, and nothing names a `task`.',
  },
};
