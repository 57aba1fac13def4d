import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { notFound, Refusal } from '../domain/refusal.ts';

export interface KnownRoute {
  readonly method: string;
  /** Path in OpenAPI's form: `/v1/keys/{id}`. */
  readonly path: string;
}

/** Only what the OpenAPI document lists exists: 404 for other paths, 405 with Allow for other methods. */
export function knownRoutes(list: () => readonly KnownRoute[]): MiddlewareHandler<AppEnv> {
  let table: { pattern: RegExp; methods: Set<string> }[] | undefined;
  return async (c, next) => {
    table ??= buildTable(list());
    const allowed = table.find(({ pattern }) => pattern.test(c.req.path))?.methods;
    if (!allowed) throw notFound();
    if (c.req.method !== 'OPTIONS' && allowed.has(c.req.method)) return next();
    c.header('Allow', [...allowed].join(', '));
    if (c.req.method === 'OPTIONS') return c.body(null, 204);
    throw new Refusal('method_not_allowed', `This path allows ${[...allowed].join(', ')}.`);
  };
}

function buildTable(routes: readonly KnownRoute[]) {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of routes) {
    const allowed = methods.get(path) ?? new Set(['OPTIONS']);
    allowed.add(method.toUpperCase());
    if (method === 'get') allowed.add('HEAD');
    methods.set(path, allowed);
  }
  return [...methods].map(([path, allowed]) => ({
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    methods: allowed,
  }));
}
