import { runInDurableObject } from 'cloudflare:test';
import { type Explanation, styleSchema } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AskedRendering, mostRefusals } from '../src/domain/rendering.ts';
import { services } from '../src/services.ts';
import {
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  later,
  newTenant,
  renderingsOf,
  report,
  success,
  uploaded,
  workerAnswers,
} from './gateway.ts';

afterEach(() => workerAnswers(202));

const viridis = { color_map: 'viridis' } as const;

describe('L9: a rendering for which no worker has time', () => {
  const hour = 3_600_000;

  /** Two explanations of one computation, the second in another style. The worker answers renderings with `status`. */
  async function held(status: number, headers: Record<string, string> = {}) {
    const { key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const ask = (visualization: object, also: Record<string, string> = {}) =>
      explain(key, { input: { upload }, output: { visualization } }, also);
    const [first, second] = [(await ask({})).body, (await ask(viridis, headers)).body];
    const computation = cacheKeyOf(first);
    const [job] = await jobsTaken(computation);
    await workerAnswers(status);
    expect((await report(job!, success(job!))).status).toBe(204);
    const see = async ({ urls }: { urls: { self: string } }, wait = 0) =>
      (await call<Explanation>('GET', `${urls.self}?wait=${wait}`, { key })).body;
    const stub = () => bindings.COMPUTATION.getByName(computation);
    /** How often each rendering has been tried that is still asked for. */
    const tries = () =>
      runInDurableObject(stub(), async (_, { storage }) =>
        [...(await storage.list<AskedRendering>({ prefix: 'rendering-asked/' })).values()].map(
          (asked) => asked.tries,
        ),
      );
    /** Has the alarm try the only rendering that is asked for `count` times, each later than any pause is long. */
    async function turns(count: number): Promise<void> {
      for (let turn = 0; turn < count; turn++) {
        const [before = 0] = await tries();
        await later(stub(), hour);
        await vi.waitFor(async () => expect((await tries())[0] ?? Infinity).toBeGreaterThan(before), {
          timeout: 10_000,
        });
      }
    }
    return { key, ask, first, second, see, stub, computation, tries, turns };
  }
  const worker = { 'is full': 503, 'is cut off': 500, 'does not answer in time': 504 };

  test.each(Object.entries(worker))(
    'L9: a worker that %s fails no explanation, however often',
    async (_, status) => {
      const { first, second, see, turns, tries, computation } = await held(status);
      expect((await see(first)).status).toBe('succeeded');
      await turns(2 * mostRefusals);
      expect(await see(second)).toMatchObject({ status: 'processing', error: null, attributions: [] });
      expect((await renderingsOf(computation)).length).toBe((await tries())[0]);
      await workerAnswers(202);
      await turns(1);
      const done = await see(second, 20);
      expect(done).toMatchObject({ status: 'succeeded', cache: { status: 'collapsed' }, error: null });
      expect(done.attributions[0]!.artifacts.overlay.sha256).toBe('1'.repeat(64));
      expect(await jobsTaken(computation)).toHaveLength(1);
      expect(await tries()).toEqual([]);
    },
  );

  test('L9: an explanation that finds the result done waits in the same way, and is a hit', async () => {
    const { ask, see, turns, computation } = await held(503);
    const asked = await ask({ opacity: 0.3 });
    expect([asked.status, asked.body.status, asked.body.cache.status]).toEqual([202, 'processing', 'hit']);
    await workerAnswers(202);
    await turns(1);
    expect(await see(asked.body, 20)).toMatchObject({ status: 'succeeded', cache: { status: 'hit' } });
    expect(await jobsTaken(computation)).toHaveLength(1);
  });

  test('L9: a computation that is put out of memory goes on asking, and counts on', async () => {
    const { second, see, stub, tries, turns } = await held(500);
    await turns(3);
    const [before] = await tries();
    await runInDurableObject(stub(), (_, state) => state.abort('begin again')).catch(() => {});
    await turns(1);
    expect((await tries())[0]).toBeGreaterThan(before!);
    await workerAnswers(202);
    await turns(1);
    expect((await see(second, 20)).status).toBe('succeeded');
  });

  test('L9: what every worker refuses fails by name after so many tries; who asks again has it tried again', async () => {
    const { ask, first, second, see, turns, computation } = await held(400);
    await turns(mostRefusals);
    expect(await see(second, 20)).toMatchObject({
      status: 'failed',
      error: { code: 'internal', message: 'The worker refused to render the pictures.' },
      attributions: [],
    });
    expect(await renderingsOf(computation)).toHaveLength(mostRefusals);
    expect((await see(first)).status).toBe('succeeded');
    await workerAnswers(202);
    expect((await ask(viridis)).body).toMatchObject({ status: 'succeeded', cache: { status: 'hit' } });
  });

  test('L9: who no longer waits is not asked for; a deleted result takes those along who wait', async () => {
    const { key, ask, first, second, see, stub, tries, turns, computation } = await held(503);
    const hit = (await ask({ opacity: 0.3 })).body;
    const canceled = await call<Explanation>('POST', second.urls.cancel, { key });
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled']);
    // As when the gateway dies over a request, and the request is repeated.
    const { id, language, output } = second;
    const style = styleSchema.parse({ language, visualization: output.visualization });
    const again = { id, style, until: null, keepUntil: 0, webhook: null };
    const repeated = await services(bindings).computation(computation).findResult(again);
    expect(repeated).toMatchObject({ via: 'collapsed' });
    expect((await see(second)).status).toBe('canceled');
    await later(stub(), hour);
    await vi.waitFor(async () => expect(await tries()).toHaveLength(1), { timeout: 20_000 });
    await turns(1);
    expect((await call('DELETE', first.urls.self, { key })).status).toBe(204);
    expect(await see(hit)).toMatchObject({ status: 'succeeded', expired: true, attributions: [] });
    expect(await see(second)).toMatchObject({ status: 'canceled', error: null });
    expect(await tries()).toEqual([]);
    const asked = (await renderingsOf(computation)).length;
    await workerAnswers(202);
    await later(stub(), hour);
    expect(await renderingsOf(computation)).toHaveLength(asked);
  });

  test('L9: the next run of the computation ends no wait, and Cancel-After does', async () => {
    const { ask, second, see, stub, turns } = await held(503, { 'Cancel-After': '2h' });
    const hit = (await ask({ opacity: 0.3 })).body;
    expect((await ask({}, { 'Cache-Control': 'no-cache' })).body.cache.status).toBe('bypass');
    expect([(await see(second)).status, (await see(hit)).status]).toEqual(['processing', 'processing']);
    await later(stub(), 3 * hour);
    expect(await see(second)).toMatchObject({ status: 'canceled', error: { code: 'deadline_exceeded' } });
    await workerAnswers(202);
    await turns(1);
    expect((await see(hit, 20)).status).toBe('succeeded');
  });
});
