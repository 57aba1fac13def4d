import { z } from '@hono/zod-openapi';
import { Refusal } from '../domain/refusal.ts';
import { json } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { services } from '../services.ts';

const status = z.object({ status: z.literal('ok') });
const ok = { status: 'ok' } as const;

export const health = routes('health');

health.route('GET', '/livez', {
  id: 'health.checkLive',
  access: 'public',
  summary: 'Check that the gateway runs',
  responses: { 200: json(status, 'The gateway runs') },
  handler: () => ({ status: 200, body: ok }),
});

health.route('GET', '/readyz', {
  id: 'health.checkReady',
  access: 'public',
  summary: 'Check that the gateway’s settings, its database and its object store work',
  responses: { 200: json(status, 'The gateway can answer requests') },
  handler: async (_, c) => {
    const { db, storeCheck } = services(c.env);
    await db
      .prepare('SELECT 1 FROM tenants LIMIT 1')
      .all()
      .catch(() => {
        throw new Refusal(
          'not_configured',
          'The database does not answer, or its migrations have not run. Run the migrations.',
        );
      });
    const fault = await storeCheck.findFault();
    if (fault !== null) throw new Refusal('not_configured', fault);
    return { status: 200, body: ok };
  },
});
