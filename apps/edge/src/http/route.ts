import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import { getOwn } from '@whylight/core/methods';
import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { refusalOf } from '../domain/validation.ts';
import { jsonBody, largestBody } from '../middleware/json-body.ts';
import { type Access, guardOf, type Known } from './access.ts';
import { type Answer, type Responses, refused } from './responses.ts';

type PathParameter<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathParameter<Rest>
  : never;

/** The validated input of a route, and who sends it. */
type RouteRequest<A extends Access, P extends string, Q, H extends string, B> = Readonly<Known<A>> & {
  readonly params: Readonly<Record<PathParameter<P>, string>>;
  readonly query: Q;
  readonly headers: Readonly<Partial<Record<H, string>>>;
  readonly body: B;
};

interface Declaration<A extends Access, P extends string, Q, H extends string, B, R extends Responses> {
  readonly access: A;
  /** A sentence that begins with a verb. */
  readonly summary: string;
  /** Descriptions of parameters in the path, where their names do not say enough. */
  readonly params?: { readonly [N in PathParameter<P>]?: string };
  readonly query?: z.ZodType<Q>;
  /** Descriptions of the headers that the handler reads. */
  readonly headers?: Readonly<Record<H, string>>;
  readonly body?: z.ZodType<B>;
  /** Limits and checks the bytes of the body, before its schema does. Default: strict JSON of at most 64 KiB. */
  readonly readBody?: MiddlewareHandler<AppEnv>;
  /** Runs after the caller is known, and before the input is validated. */
  readonly middleware?: MiddlewareHandler<AppEnv>;
  /** The answers by status, except refusals. */
  readonly responses: R;
  /** `c`, Hono's context, is for what the request does not hold: the audit trail's subject, bindings, other headers. */
  handler(
    request: RouteRequest<A, P, Q, H, B>,
    c: Context<AppEnv>,
  ): Answer<NoInfer<R>> | Promise<Answer<NoInfer<R>>>;
}

interface Routes {
  readonly app: OpenAPIHono<AppEnv>;
  /** Adds a route: what the OpenAPI document says of it, who may call it, and the handler that answers. */
  route<
    A extends Access,
    P extends string,
    R extends Responses,
    Q = undefined,
    H extends string = never,
    B = undefined,
  >(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: P,
    declaration: Declaration<A, P, Q, H, B, R>,
  ): void;
}

/** A group of routes with one tag in the OpenAPI document; the operator's routes have a tag of their own. */
export function routes(tag: string): Routes {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success)
        throw refusalOf(result.error as z.ZodError, 'data' in result ? result.data : undefined);
    },
  });
  return {
    app,
    route(method, path, { access, summary, params = {}, query, headers, body, responses, handler, ...more }) {
      const { security, middleware } = guardOf(access, body ? [more.readBody ?? jsonBody(largestBody)] : []);
      const config: RouteConfig = {
        method: method.toLowerCase() as 'get',
        path,
        tags: [access === 'operator' ? access : tag],
        summary,
        ...(security ? { security } : {}),
        middleware: more.middleware ? [...middleware, more.middleware] : middleware,
        request: {
          ...(path.includes('{') ? { params: paramsSchema(path, params) } : {}),
          ...(query ? { query: query as unknown as z.ZodObject } : {}),
          ...(headers ? { headers: headersSchema(headers) } : {}),
          ...(body ? { body: { required: true, content: { 'application/json': { schema: body } } } } : {}),
        },
        responses: { ...responses, ...refused },
      };
      app.openapi(config, async (c: Context<AppEnv>) => {
        const valid = (target: string) => c.req.valid(target as never);
        const [query, headers, body] = [valid('query'), valid('header'), valid('json')];
        const request = { ...c.var, params: valid('param'), query, headers, body };
        return send(c, responses, await handler(request as never, c));
      });
    },
  };
}

const paramsSchema = (path: string, descriptions: Readonly<Record<string, string | undefined>>) =>
  z.object(
    Object.fromEntries(
      Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => {
        const description = getOwn(descriptions, name);
        return [name, description === undefined ? z.string() : z.string().describe(description)];
      }),
    ),
  );

const headersSchema = (descriptions: Readonly<Record<string, string>>) =>
  z.object(
    Object.fromEntries(
      Object.entries(descriptions).map(([name, text]) => [name, z.string().optional().describe(text)]),
    ),
  );

function send(c: Context<AppEnv>, responses: Responses, answer: object): Response {
  const { status, headers, body } = answer as { status: 200; headers?: Record<string, string>; body?: never };
  const isJson = responses[status]?.content?.['application/json'] !== undefined;
  return isJson ? c.json(body, status, headers) : c.body(body ?? null, status, headers);
}
