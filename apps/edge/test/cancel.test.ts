import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { Explanation } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { lateWrites } from '../src/domain/run.ts';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  claim,
  explain,
  jobsDropped,
  jobsTaken,
  later,
  newTenant,
  prefixOf,
  report,
  success,
  uploaded,
  workerAnswers,
} from './gateway.ts';

const { objects } = services(bindings);

/** A tenant that asks; `answer` is what the worker answers to the job. */
async function asking(answer = 202) {
  const { key } = await newTenant();
  const upload = (await uploaded(key)).id;
  await workerAnswers(answer);
  const ask = async (headers = {}): Promise<Explanation> =>
    (await explain(key, { input: { upload } }, headers)).body;
  const see = async (made: Explanation): Promise<Explanation> =>
    (await call<Explanation>('GET', made.urls.self, { key })).body;
  const cancel = (made: Explanation) => call<Explanation>('POST', made.urls.cancel, { key });
  const remove = (made: { id: string }, noun = 'explanations') =>
    call('DELETE', `/v1/${noun}/${made.id}`, { key });
  return { key, upload, ask, see, cancel, remove };
}

const computationOf = (made: Explanation) => bindings.COMPUTATION.getByName(cacheKeyOf(made));
const jobOf = (made: Explanation) => services(bindings).computation(cacheKeyOf(made)).deliverJob(1);

/** Does what the worker does before it reports success. */
async function write(prefix: string): Promise<void> {
  for (const name of ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'])
    await objects.blockName(prefix + name);
}

afterEach(() => workerAnswers(202));

describe('cancelling', () => {
  test('B11: what waits is canceled at once, and its message starts nothing', async () => {
    const { ask, see, cancel } = await asking(503);
    const made = await ask();
    const answer = await cancel(made);
    expect([answer.status, answer.body.status, answer.body.error]).toEqual([200, 'canceled', null]);
    expect(await see(made)).toMatchObject({ status: 'canceled', completed_at: expect.any(String) });
    expect(await jobOf(made)).toBeNull();
  });

  test('B12: what runs is canceled, the worker is told, and its report is refused', async () => {
    const { ask, see, cancel } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    await report(job!, { status: 'processing' });
    const answer = await cancel(made);
    expect([answer.status, answer.body.status]).toEqual([202, 'canceled']);
    await vi.waitFor(async () => expect(await jobsDropped()).toContain(`${job!.key}?attempt=1`), {
      timeout: 20_000,
    });
    expect((await report(job!, success(job!))).status).toBe(409);
    expect((await see(made)).status).toBe('canceled');
  });

  test('B13: cancelling what has ended changes nothing', async () => {
    const { ask, cancel } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    await report(job!, success(job!));
    const answer = await cancel(made);
    expect([answer.status, answer.body.status]).toEqual([200, 'succeeded']);
    expect(await jobsDropped()).not.toContain(`${job!.key}?attempt=1`);
  });

  test('B14: of cancelling and completion at the same time one counts, for both', async () => {
    for (let i = 0; i < 5; i++) {
      const { ask, see, cancel } = await asking();
      const made = await ask();
      const [job] = await jobsTaken(cacheKeyOf(made));
      const [told, answer] = await Promise.all([report(job!, success(job!)), cancel(made)]);
      const end = told.status === 204 ? 'succeeded' : 'canceled';
      expect([answer.body.status, (await see(made)).status]).toEqual([end, end]);
    }
  });

  test('H4: a leader that is canceled leaves its followers unaffected', async () => {
    const { key, ask, see, cancel } = await asking();
    const [leader, follower] = [await ask(), await ask()];
    const [job] = await jobsTaken(cacheKeyOf(leader));
    await report(job!, { status: 'processing' });
    expect((await cancel(leader)).status).toBe(200);
    expect((await see(follower)).status).toBe('processing');
    expect((await report(job!, success(job!))).status).toBe(204);
    expect((await see(follower)).status).toBe('succeeded');
    expect(await see(leader)).toMatchObject({ status: 'canceled', attributions: [], progress: null });
    const picture = `${leader.urls.self}/artifacts/overlay.png`;
    expect((await call('GET', picture, { key })).status).toBe(404);
  });

  test('a follower that is canceled leaves the others unaffected, and wakes who waits for it', async () => {
    const { key, ask, see, cancel } = await asking();
    const [leader, follower] = [await ask(), await ask()];
    const waiting = call<Explanation>('GET', `${follower.urls.self}?wait=30`, { key });
    await cancel(follower);
    expect((await waiting).body.status).toBe('canceled');
    expect((await see(leader)).status).toBe('queued');
    await cancel(leader);
    expect((await ask()).cache.status).toBe('miss');
  });
});

describe('Cancel-After', () => {
  test('B16: what has not begun by then is aborted, and never begins', async () => {
    const { ask, see } = await asking(503);
    const made = await ask({ 'Cancel-After': '30s' });
    await later(computationOf(made), 29_000);
    expect((await see(made)).status).toBe('queued');
    await later(computationOf(made), 31_000);
    expect(await see(made)).toMatchObject({ status: 'aborted', error: { code: 'deadline_exceeded' } });
    expect(await jobOf(made)).toBeNull();
  });

  test('B17: what is under way by then is canceled, and says why', async () => {
    const { ask, see } = await asking();
    const made = await ask({ 'Cancel-After': '1m30s' });
    const [job] = await jobsTaken(cacheKeyOf(made));
    await report(job!, { status: 'processing' });
    await later(computationOf(made), 91_000);
    expect(await see(made)).toMatchObject({ status: 'canceled', error: { code: 'deadline_exceeded' } });
    await vi.waitFor(async () => expect(await jobsDropped()).toContain(`${job!.key}?attempt=1`), {
      timeout: 20_000,
    });
  });

  test('B17: the deadline of one is not that of the others', async () => {
    const { ask, see } = await asking();
    const [hasty, patient] = [await ask({ 'Cancel-After': '5s' }), await ask()];
    await jobsTaken(cacheKeyOf(patient));
    await later(computationOf(patient), 6_000);
    expect([(await see(hasty)).status, (await see(patient)).status]).toEqual(['aborted', 'queued']);
  });

  test.each(['0s', '25h', '-5s', '5x', '', 's', '1s1m', '9'.repeat(30)])('"%s" is refused', async (text) => {
    const { key, upload } = await asking();
    const answer = await explain(key, { input: { upload } }, { 'Cancel-After': text });
    expect([answer.status, (answer.body as unknown as { code: string }).code]).toEqual([
      400,
      'invalid_parameter',
    ]);
  });
});

describe('deleting', () => {
  test('B15: what is deleted while it runs is stopped, and a late worker brings nothing back', async () => {
    const { key, ask, remove } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    await report(job!, { status: 'processing' });
    expect((await remove(made)).status).toBe(204);
    await vi.waitFor(async () => expect(await jobsDropped()).toContain(`${job!.key}?attempt=1`), {
      timeout: 20_000,
    });
    await write(prefixOf(job!));
    expect((await report(job!, success(job!))).status).toBe(409);
    expect((await call('GET', made.urls.self, { key })).status).toBe(404);
    expect((await remove(made)).status).toBe(404);
    expect((await call('GET', '/v1/explanations', { key })).body.data).toEqual([]);
    await later(computationOf(made), lateWrites + 1_000);
    expect(await objects.head(`${prefixOf(job!)}overlay.png`)).toBeNull();
    expect((await ask()).cache.status).toBe('miss');
  });

  test('B15: nor one that has claimed its attempt and of which nothing was heard after that', async () => {
    const { ask, remove } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    expect((await claim(job!)).status).toBe(204);
    expect((await remove(made)).status).toBe(204);
    await write(prefixOf(job!));
    await later(computationOf(made), lateWrites + 1_000);
    expect(await objects.head(`${prefixOf(job!)}overlay.png`)).toBeNull();
  });

  test('B15: with the explanation that had it computed, the result goes: for the cache and for its hits', async () => {
    const { key, ask, see, remove } = await asking();
    const made = await ask();
    const [job] = await jobsTaken(cacheKeyOf(made));
    await write(prefixOf(job!));
    await report(job!, success(job!));
    const hit = await ask();
    expect((await remove(hit)).status).toBe(204);
    expect(await objects.head(`${prefixOf(job!)}attribution.npy`)).not.toBeNull();
    const second = await ask();
    expect(second.cache.status).toBe('hit');
    expect((await remove(made)).status).toBe(204);
    for (const name of ['overlay.png', 'heatmap.png', 'attribution.npy', 'result.json'])
      expect(await objects.head(prefixOf(job!) + name)).toBeNull();
    expect(await see(second)).toMatchObject({ status: 'succeeded', expired: true, attributions: [] });
    const gone = await call('GET', `${second.urls.self}/artifacts/overlay.png`, { key });
    expect([gone.status, gone.body.code]).toEqual([410, 'artifact_expired']);
    const next = await ask();
    expect(next.cache.status).toBe('miss');
    const jobs = await jobsTaken(cacheKeyOf(made), 2);
    expect(prefixOf(jobs[1]!)).not.toBe(prefixOf(job!));
  });

  test('B15: who leads when the leader is deleted is who waits: the result is theirs', async () => {
    const { ask, see, remove } = await asking();
    const [leader, follower] = [await ask(), await ask()];
    const [job] = await jobsTaken(cacheKeyOf(leader));
    expect((await remove(leader)).status).toBe(204);
    await report(job!, success(job!));
    expect((await see(follower)).status).toBe('succeeded');
    expect((await ask()).cache.status).toBe('hit');
    await remove(follower);
    expect((await ask()).cache.status).toBe('miss');
  });

  test('a photo that is deleted is gone, and its URL brings nothing back', async () => {
    const { key, upload, remove } = await asking();
    const row = (
      await services(bindings).uploads.listByHash(
        (await bindings.DB.prepare('SELECT tenant FROM uploads WHERE id = ?').bind(upload).first('tenant'))!,
        (
          await call('GET', `/v1/uploads/${upload}`, { key })
        ).body.sha256,
      )
    )[0]!;
    expect((await remove({ id: upload }, 'uploads')).status).toBe(204);
    expect((await call('GET', `/v1/uploads/${upload}`, { key })).status).toBe(404);
    expect((await explain(key, { input: { sha256: row.sha256 } })).status).toBe(404);
    expect((await objects.head(row.object))!.bytes).toBe(0);
    const late = await fetch(
      await objects.signedPut(row.object, { 'if-none-match': '*', 'content-length': '64' }),
      { method: 'PUT', body: new Uint8Array(64), headers: { 'if-none-match': '*', 'content-length': '64' } },
    );
    expect(late.status).toBe(412);

    // The store refuses signatures of tomorrow: what holds the place is made older instead.
    const cleanup = bindings.TENANT_CLEANUP.getByName(row.tenant);
    await runInDurableObject(cleanup, (_, { storage }) => storage.put(`blank/${row.object}`, 0));
    await runDurableObjectAlarm(cleanup);
    expect(await objects.head(row.object)).toBeNull();
    const left = await runInDurableObject(cleanup, (_, { storage }) => storage.list({ prefix: 'blank/' }));
    expect(left.size).toBe(0);
  });
});
