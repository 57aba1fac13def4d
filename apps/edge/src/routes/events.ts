import { createRoute, z } from '@hono/zod-openapi';
import { eventStream } from '../event-stream.ts';
import { declined, routes, tenantRoute } from '../openapi.ts';
import { findExplanation } from '../use-cases/submission.ts';

/** Seconds after which a line on which nothing happens gets a sign of life. */
const patience = 15;

const get = createRoute({
  ...tenantRoute('explanations:read'),
  method: 'get',
  path: '/v1/explanations/{id}/events',
  tags: ['explanations'],
  summary: 'Follow an explanation as it happens',
  request: {
    params: z.object({ id: z.string() }),
    headers: z.object({
      'last-event-id': z
        .string()
        .optional()
        .describe('Goes on after this event; an event `error` says when some are no longer known'),
    }),
  },
  responses: {
    200: {
      description: 'Events `queued`, `processing`, `progress` and, at the end, `completed`',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    204: { description: 'It had ended with the event named' },
    ...declined,
  },
});

export const events = routes().openapi(get, async (c) => {
  const { caller, services } = c.var;
  const row = await findExplanation(services, caller.tenant, c.req.valid('param').id);
  const computation = services.computation(row.key);
  const id = c.req.header('Last-Event-ID');
  // An id that is none of ours is one after which nothing is known.
  const after = id === undefined ? null : /^\d{1,9}$/.test(id) ? Number(id) : -1;
  const now = await computation.readEvents(row.run, row.id, after, 0);
  if (now?.done && now.events.length === 0) return c.body(null, 204);
  const stream = eventStream((last) => computation.readEvents(row.run, row.id, last, patience), after);
  return c.body(stream, 200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
});
