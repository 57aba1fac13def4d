import { createRoute, z } from '@hono/zod-openapi';
import { Refusal } from '../domain/refusal.ts';
import { declined, json, routes } from '../openapi.ts';
import { services } from '../services.ts';

const status = z.object({ status: z.literal('ok') });

const livez = createRoute({
  method: 'get',
  path: '/livez',
  tags: ['health'],
  summary: 'Is it running?',
  responses: { 200: json(status, 'It is'), ...declined },
});

const readyz = createRoute({
  method: 'get',
  path: '/readyz',
  tags: ['health'],
  summary:
    'Can it take requests: is it configured, is its database there, is its object store as it must be?',
  responses: { 200: json(status, 'It can'), ...declined },
});

export const health = routes()
  .openapi(livez, (c) => c.json({ status: 'ok' as const }, 200))
  .openapi(readyz, async (c) => {
    const { db, storeCheck } = services(c.env);
    await db
      .prepare('SELECT 1 FROM tenants LIMIT 1')
      .all()
      .catch(() => {
        throw new Refusal('not_configured', 'The database is not there, or its migrations have not run.');
      });
    const accepted = await storeCheck.findAcceptedHeaders();
    if (accepted.length > 0)
      throw new Refusal(
        'not_configured',
        `The object store takes a signed PUT with headers that are not signed (${accepted.join(', ')}), so that a signed URL could be used to copy another object. It must answer 403 to every x-amz-* header that X-Amz-SignedHeaders does not name.`,
      );
    return c.json({ status: 'ok' as const }, 200);
  });
