import { evictDurableObject } from 'cloudflare:test';
import { exports } from 'cloudflare:workers';
import type { Explanation } from '@whylight/contract';
import { describe, expect, test } from 'vitest';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  report,
  success,
  uploaded,
} from './gateway.ts';

interface Seen {
  readonly id: number | null;
  readonly event: string;
  readonly data: { readonly completed?: number };
}

/** An explanation under way, and a way to follow it. */
async function followed() {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  const ask = async () => (await explain(key, { input: { upload } })).body;
  const made = await ask();
  const [job] = await jobsTaken(cacheKeyOf(made));
  return { key, made, job: job!, ask };
}

/** Opens the line; `next` reads the next event, null at the end. */
async function follow(key: string, { urls }: Explanation, lastEventId?: number | string) {
  const headers = {
    Authorization: `Bearer ${key}`,
    ...(lastEventId === undefined ? {} : { 'Last-Event-ID': String(lastEventId) }),
  };
  const { default: gateway } = exports as unknown as { default: Fetcher };
  const response = await gateway.fetch(`http://gateway.test${urls.events}`, { headers });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<Seen | null> => {
    for (;;) {
      const [, block, rest] = /^([\s\S]*?)\n\n([\s\S]*)$/.exec(text) ?? [];
      if (block !== undefined) {
        text = rest!;
        if (block.startsWith(':')) continue;
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const id = field('id');
        return {
          id: id === undefined ? null : Number(id),
          event: field('event')!,
          data: JSON.parse(field('data')!),
        };
      }
      const { value, done } = await reader!.read();
      if (done) return null;
      text += value;
    }
  };
  const rest = async (): Promise<Seen[]> => {
    const seen = await next();
    return seen ? [seen, ...(await rest())] : [];
  };
  return { response, next, rest, close: () => reader!.cancel() };
}

describe('events', () => {
  test('tell an explanation from its place in the queue to its end', async () => {
    const { key, made, job } = await followed();
    const line = await follow(key, made);
    expect(line.response.headers.get('Content-Type')).toBe('text/event-stream');
    expect((await line.next())!.event).toBe('queued');
    await report(job, { status: 'processing' });
    expect((await line.next())!.event).toBe('processing');
    await report(job, { status: 'progress', completed: 3, total: 8 });
    expect(await line.next()).toMatchObject({ event: 'progress', data: { completed: 3, total: 8 } });
    await report(job, success(job));
    const end = (await line.next())!;
    expect(end).toMatchObject({ event: 'completed', data: { status: 'succeeded', error: null } });
    expect(await line.next()).toBeNull();
    expect((await follow(key, made, end.id!)).response.status).toBe(204);
    expect(await (await follow(key, made)).rest()).toEqual([end]);
  });

  test('J8: a line that is lost is taken up after the last event, with nothing missed or told twice', async () => {
    const { key, made, job } = await followed();
    const line = await follow(key, made);
    const first = (await line.next())!;
    await line.close();
    await report(job, { status: 'processing' });
    for (const completed of [1, 2, 3]) await report(job, { status: 'progress', completed, total: 3 });
    await report(job, success(job));
    const all = await (await follow(key, made, first.id!)).rest();
    expect(all.map(({ event, data }) => [event, data.completed])).toEqual([
      ['processing', undefined],
      ['progress', 1],
      ['progress', 2],
      ['progress', 3],
      ['completed', undefined],
    ]);
    for (const [i, { id }] of all.entries())
      expect(await (await follow(key, made, id!)).rest().catch(() => [])).toEqual(all.slice(i + 1));
  });

  test('J8: what can no longer be told again is owned up to, and how it stands follows', async () => {
    const { key, made, job } = await followed();
    const first = (await (await follow(key, made)).next())!;
    await report(job, { status: 'processing' });
    await report(job, { status: 'progress', completed: 1, total: 3 });
    await evictDurableObject(bindings.COMPUTATION.getByName(cacheKeyOf(made)));
    for (const id of [first.id! - 1, 999_999, 'forged']) {
      const line = await follow(key, made, id);
      expect(await line.next()).toMatchObject({ event: 'error', data: { code: 'replay_gap' } });
      expect(await line.next()).toMatchObject({ event: 'progress', data: { completed: 1 } });
      await line.close();
    }
    await report(job, success(job));
    expect((await (await follow(key, made)).rest()).map(({ event }) => event)).toEqual(['completed']);
  });

  test('B11: each sees its own end', async () => {
    const { key, made, job, ask } = await followed();
    const joined = await ask();
    const [leader, follower] = [await follow(key, made), await follow(key, joined)];
    await call('POST', made.urls.cancel, { key });
    await report(job, success(job));
    expect((await leader.rest()).at(-1)).toMatchObject({ event: 'completed', data: { status: 'canceled' } });
    expect((await follower.rest()).at(-1)).toMatchObject({
      event: 'completed',
      data: { status: 'succeeded' },
    });
  });
});
