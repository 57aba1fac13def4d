import { describe, expect, test } from 'vitest';
import {
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  prefixOf,
  report,
  success,
  uploaded,
} from './gateway.ts';

describe('one photo, from signed upload to cached explanation', () => {
  test('H1: it is computed once, then answered from the cache, and its pictures can be fetched', async () => {
    const { key } = await newTenant();
    const { id } = await uploaded(key);

    const asked = await explain(key, { input: { upload: id } });
    expect(asked.status).toBe(202);
    expect(asked.body.status).toBe('queued');
    expect(asked.headers.get('Location')).toBe(`/v1/explanations/${asked.body.id}`);

    const [job] = await jobsTaken(cacheKeyOf(asked.body));
    expect(job!.input.bytes).toBe(64);
    expect((await report(job!, { status: 'processing' })).status).toBe(204);
    expect((await report(job!, { status: 'progress', completed: 1, total: 4 })).status).toBe(204);
    const running = await call('GET', asked.body.urls.self, { key });
    expect(running.body).toMatchObject({ status: 'processing', progress: { completed: 1, total: 4 } });

    const waiting = call('GET', `${asked.body.urls.self}?wait=30`, { key });
    expect((await report(job!, success(job!))).status).toBe(204);
    expect((await waiting).body).toMatchObject({ status: 'succeeded', attributions: [{ output_index: 0 }] });

    const again = await explain(key, { input: { upload: id } });
    expect(again.status).toBe(200);
    expect(again.headers.get('Cache-Status')).toBe('whylight; hit');
    expect(again.body).toMatchObject({ status: 'succeeded', cache: { status: 'hit' } });
    expect(again.body.id).not.toBe(asked.body.id);
    expect(again.body.attributions[0]!.attribution_sum).toBe(12.5);
    expect(await jobsTaken(cacheKeyOf(asked.body))).toHaveLength(1);

    const picture = await call('GET', again.body.attributions[0]!.artifacts.overlay.url, { key });
    expect(picture.status).toBe(302);
    const told = await call('GET', again.body.attributions[0]!.artifacts.overlay.url, {
      key,
      headers: { Accept: 'application/json' },
    });
    expect([told.status, new URL(told.body.url).pathname]).toEqual([
      200,
      new URL(picture.headers.get('Location')!).pathname,
    ]);
    const signed = new URL(picture.headers.get('Location')!);
    expect(signed.pathname.endsWith(`${prefixOf(job!)}overlay.png`)).toBe(true);
    expect(Number(signed.searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(300);
  });
});
