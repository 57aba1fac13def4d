import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { AppEnv } from '../app-env.ts';
import { LimitRefusal, Refusal } from '../domain/refusal.ts';

/**
 * Records requests that change something, and those that lack a scope. It runs outermost, so that it sees every outcome.
 * `tenant` and `actor` are known once the key is.
 */
export const audited: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { tenant, actor, services, requestId } = c.var;
  if (tenant === undefined || actor === undefined) return;
  const changes = !['GET', 'HEAD', 'OPTIONS'].includes(c.req.method);
  const denied = c.error instanceof Refusal && c.error.code === 'insufficient_scope';
  // The meter counts requests beyond a limit; they must not fill the trail.
  if (c.error instanceof LimitRefusal || !(changes || denied)) return;
  // The client does not wait for the trail; the platform keeps the Worker alive until it is written.
  await continueAfterAnswer(
    c,
    services.audit.write(tenant, {
      actor,
      action: `${c.req.method} ${routePath(c, -1).replace(/:(\w+)/g, '{$1}')}`,
      subject: c.var.subject ?? c.req.param('id') ?? null,
      outcome: c.error ? (c.error instanceof Refusal ? c.error.code : 'internal') : 'done',
      request_id: requestId,
    }),
  );
};

/** Continues `work` after the answer, if the platform waits for it. */
async function continueAfterAnswer(c: Context<AppEnv>, work: Promise<void>): Promise<void> {
  try {
    c.executionCtx.waitUntil(work);
  } catch {
    await work;
  }
}
