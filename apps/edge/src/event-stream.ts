import type { News, RunEvent } from './domain/news.ts';

const encoder = new TextEncoder();

const gap = {
  code: 'replay_gap',
  message: 'What happened since Last-Event-ID is no longer known; what follows is how it stands.',
};

/**
 * News as server-sent events. It reads only when the client does, so a slow client holds nothing up here, and
 * stops when the client goes. `read` waits for news a while; when there is none a comment keeps the line open.
 */
export function eventStream(
  read: (after: number | null) => Promise<News | null>,
  from: number | null,
): ReadableStream<Uint8Array> {
  let after = from;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const news = await read(after).catch(() => null);
        if (!news) return controller.close();
        after = news.events.at(-1)?.id ?? after;
        const text = news.events.map(textOf).join('');
        const lost = news.gap ? `event: error\ndata: ${JSON.stringify(gap)}\n\n` : '';
        controller.enqueue(encoder.encode(lost + text || ': nothing new\n\n'));
        if (news.done) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

const textOf = ({ id, event, data }: RunEvent): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
