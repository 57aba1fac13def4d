import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { ProblemCode } from '@whylight/contract';
import { getOwn } from '@whylight/core/methods';
import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { refusalOf } from '../domain/validation.ts';
import { jsonBody, largestBody } from '../middleware/json-body.ts';
import { headersOf, type ResponseHeader } from '../response-headers.ts';
import { type Access, guardOf, isScope, type Known } from './access.ts';
import { knownParameters } from './query.ts';
import { refusalsOf } from './refusals.ts';
import type { Answer, Responses } from './responses.ts';

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

type HeaderDeclaration = { readonly description: string; readonly pattern: string };

interface Declaration<A extends Access, P extends string, Q, H extends string, B, R extends Responses> {
  readonly access: A;
  /** `resource.verb`, which names the operation in the published document. A route without one is not in that document. */
  readonly id?: string;
  /** A sentence that begins with a verb. */
  readonly summary: string;
  /** What the summary does not say, in sentences. */
  readonly description?: string;
  /** Codes of the problems that this route answers, beyond those that follow from its access, path, query and body. */
  readonly refuses?: readonly ProblemCode[];
  /** Descriptions of parameters in the path, where their names do not say enough. */
  readonly params?: { readonly [N in PathParameter<P>]?: string };
  readonly query?: z.ZodType<Q>;
  /** The headers that the handler reads: what each means, and a pattern of its value if the service refuses others. */
  readonly headers?: Readonly<Record<H, string | HeaderDeclaration>>;
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
    route(method, path, { access, id, summary, query, headers, body, responses, handler, ...more }) {
      const names = query ? Object.keys((query as unknown as z.ZodObject).shape) : [];
      const checks = path.startsWith('/v1/') ? [knownParameters(names)] : [];
      if (body) checks.push(more.readBody ?? jsonBody(largestBody));
      const { security, middleware } = guardOf(access, checks);
      const traits = { access, path, hasBody: body !== undefined, query: names };
      const shared = sharedHeaders(access);
      const refusals = refusalsOf(
        { ...traits, headers: Object.keys(headers ?? {}), refuses: more.refuses ?? [] },
        shared,
      );
      const config: RouteConfig = {
        method: method.toLowerCase() as 'get',
        path,
        tags: [access === 'operator' ? access : tag],
        ...(id ? { operationId: id } : {}),
        summary,
        description: [more.description ?? `${summary}.`, ...neededBy(access)].join(' '),
        security: security ?? [],
        ...(isScope(access) ? { 'x-scopes': [access] } : {}),
        middleware: more.middleware ? [...middleware, more.middleware] : middleware,
        request: {
          ...(path.includes('{') ? { params: paramsSchema(path, more.params ?? {}) } : {}),
          ...(query ? { query: query as unknown as z.ZodObject } : {}),
          ...(headers ? { headers: headersSchema(headers) } : {}),
          ...(body ? { body: { required: true, content: { 'application/json': { schema: body } } } } : {}),
        },
        responses: { ...withHeaders(responses, shared), ...refusals },
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

const headersSchema = (declared: Readonly<Record<string, string | HeaderDeclaration>>) =>
  z.object(
    Object.fromEntries(
      Object.entries<string | HeaderDeclaration>(declared).map(([name, said]) => [
        name,
        z
          .string()
          .optional()
          .meta(typeof said === 'string' ? { description: said } : said),
      ]),
    ),
  );

/** Headers of every answer to these callers. */
const sharedHeaders = (access: Access): ResponseHeader[] => [
  'Request-Id',
  'X-Request-Id',
  ...(isScope(access) ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
];

const neededBy = (access: Access): string[] =>
  isScope(access) ? [`The API key needs the scope \`${access}\`.`] : [];

const withHeaders = (responses: Responses, shared: readonly ResponseHeader[]) =>
  Object.fromEntries(
    Object.entries(responses).map(([status, { headers = [], ...declared }]) => [
      status,
      { ...declared, headers: headersOf([...shared, ...headers]) },
    ]),
  );

function send(c: Context<AppEnv>, responses: Responses, answer: object): Response {
  const { status, headers, body } = answer as { status: 200; headers?: Record<string, string>; body?: never };
  const isJson = responses[status]?.content?.['application/json'] !== undefined;
  return isJson && !((body as unknown) instanceof ReadableStream)
    ? c.json(body, status, headers)
    : c.body(body ?? null, status, headers);
}
