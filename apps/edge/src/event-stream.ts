import type { RunEvent, RunEvents } from './domain/run-events.ts';

const encoder = new TextEncoder();

const gap = {
  code: 'replay_gap',
  message: 'The service no longer has all events after Last-Event-ID. The present state follows.',
};

/**
 * The events of an explanation as server-sent events. The stream reads only when the client reads, so a slow client
 * blocks nothing, and it ends when the client leaves. `read` waits a while for events; if none come, a comment keeps the
 * connection open.
 */
export function eventStream(
  read: (after: number | null) => Promise<RunEvents | null>,
  from: number | null,
): ReadableStream<Uint8Array> {
  let after = from;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const batch = await read(after).catch(() => null);
        if (!batch) return controller.close();
        after = batch.events.at(-1)?.id ?? after;
        const text = batch.events.map(textOf).join('');
        const lost = batch.gap ? `event: error\ndata: ${JSON.stringify(gap)}\n\n` : '';
        controller.enqueue(encoder.encode(lost + text || ': no event\n\n'));
        if (batch.done) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

const textOf = ({ id, event, data }: RunEvent): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
