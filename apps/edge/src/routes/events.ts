import { createRoute, z } from '@hono/zod-openapi';
import { eventStream } from '../event-stream.ts';
import { declined, routes, tenantRoute } from '../openapi.ts';
import { findExplanation } from '../use-cases/submission.ts';

/** Seconds after which a connection without events gets a comment. */
const patience = 15;

const get = createRoute({
  ...tenantRoute('explanations:read'),
  method: 'get',
  path: '/v1/explanations/{id}/events',
  tags: ['explanations'],
  summary: 'Follow the events of an explanation',
  request: {
    params: z.object({ id: z.string() }),
    headers: z.object({
      'last-event-id': z
        .string()
        .optional()
        .describe('Continues after this event; an event `error` says that the service has forgotten some'),
    }),
  },
  responses: {
    200: {
      description: 'Events `queued`, `processing`, `progress` and, at the end, `completed`',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    204: { description: 'The explanation ended with that event' },
    ...declined,
  },
});

export const events = routes().openapi(get, async (c) => {
  const { caller, services } = c.var;
  const row = await findExplanation(services, caller.tenant, c.req.valid('param').id);
  const computation = services.computation(row.key);
  const id = c.req.header('Last-Event-ID');
  // An id of another form gets the same answer as one that the service has forgotten.
  const after = id === undefined ? null : /^\d{1,9}$/.test(id) ? Number(id) : -1;
  const now = await computation.readEvents(row.run, row.id, after, 0);
  if (now?.done && now.events.length === 0) return c.body(null, 204);
  const stream = eventStream((last) => computation.readEvents(row.run, row.id, last, patience), after);
  return c.body(stream, 200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
});
