import { eventStream } from '../event-stream.ts';
import { text } from '../http/responses.ts';
import { routes } from '../http/route.ts';
import { answererOf, findExplanation } from '../use-cases/read-explanation.ts';

/** Seconds after which a connection without events gets a comment. */
const secondsToComment = 15;

export const events = routes('explanations');

events.route('GET', '/v1/explanations/{id}/events', {
  id: 'explanations.follow',
  access: 'explanations:read',
  summary: 'Follow the events of an explanation',
  headers: {
    'last-event-id':
      'The stream continues after this event; an event `error` says that the service no longer has some events',
  },
  responses: {
    200: text(
      'text/event-stream',
      'The body streams the events `queued`, `processing`, `progress` and, at the end, `completed`',
    ),
    204: { description: 'The explanation ended with the event that `Last-Event-ID` names' },
  },
  handler: async ({ tenant, services, params, headers }) => {
    const row = await findExplanation(services, tenant, params.id);
    const answerer = answererOf(services, row);
    const id = headers['last-event-id'];
    // An id of another form gets the same answer as one that the service has forgotten.
    const after = id === undefined ? null : /^\d{1,9}$/.test(id) ? Number(id) : -1;
    const now = await answerer.readEvents(row.run, row.id, after, 0);
    if (now?.done && now.events.length === 0) return { status: 204 };
    return {
      status: 200,
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
      body: eventStream((last) => answerer.readEvents(row.run, row.id, last, secondsToComment), after),
    };
  },
});
