import { runInDurableObject } from 'cloudflare:test';
import { type Explanation, type RenderingRequest, workerPaths } from '@whylight/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mostPinned } from '../src/domain/rendering.ts';
import { lateWrites } from '../src/domain/run.ts';
import { services } from '../src/services.ts';
import { explained } from './explained.ts';
import {
  type Answer,
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  later,
  newTenant,
  prefixOf,
  renderingsOf,
  report,
  success,
  unsigned,
  uploaded,
  workerAnswers,
  write,
} from './gateway.ts';

afterEach(() => workerAnswers(202));

const viridis = { color_map: 'viridis' } as const;
const codeOf = ({ body }: Answer<unknown>): string => (body as { code: string }).code;

describe('rendering what is explained in another way', () => {
  test('H9: it is drawn once, and computed never again', async () => {
    const { render, computation, fetchPicture, job } = await explained();
    const first = await render({ visualization: viridis });
    expect([first.status, first.body.cache.status]).toEqual([200, 'miss']);
    expect(first.body.visualization).toMatchObject({ color_map: 'viridis', opacity: null, type: 'pixels' });
    const again = await render({ visualization: { opacity: null, ...viridis }, language: 'en' });
    expect(again.body.cache).toEqual({ status: 'hit', key: first.body.cache.key });
    expect(unsigned(again.body.artifacts)).toEqual(unsigned(first.body.artifacts));
    expect(await renderingsOf(computation)).toHaveLength(1);
    expect(await jobsTaken(computation)).toHaveLength(1);

    const picture = await fetchPicture(first.body.artifacts.overlay.url);
    const { pathname } = new URL(picture.headers.get('Location')!);
    expect([picture.status, pathname.includes(prefixOf(job))]).toEqual([302, true]);
    expect(pathname.endsWith(`${prefixOf(job)}overlay.png`)).toBe(false);
  });

  test('H9: every change is another picture, and the method’s own is there without drawing', async () => {
    const { render, computation, made } = await explained();
    const changes: RenderingRequest[] = [
      { visualization: { opacity: 0.2 } },
      { visualization: { polarity: 'positive' } },
      { visualization: { clip_percent_lowerbound: 62, clip_percent_upperbound: 99.9 } },
      { visualization: { overlay_type: 'mask_black' } },
      { visualization: { type: 'outlines' } },
      { language: 'zh' },
    ];
    const keys = await Promise.all(changes.map(async (change) => (await render(change)).body.cache.key));
    expect(new Set(keys).size).toBe(changes.length);
    expect(await renderingsOf(computation)).toHaveLength(changes.length);
    const own = (await render()).body;
    expect(own.artifacts.overlay.url).toBe(`/v1/explanations/${made.id}/artifacts/overlay.png`);
    expect(await renderingsOf(computation)).toHaveLength(changes.length);
  });

  test('B15: pictures that were drawn without the gateway having heard of it go with the result', async () => {
    const { render, computation, key, made } = await explained();
    await workerAnswers(500);
    expect((await render({ visualization: viridis })).status).toBe(503);
    await workerAnswers(202);
    const [late] = await renderingsOf(computation);
    await write(`${late!.output_prefix}overlay.png`, 'late');
    expect((await call('DELETE', made.urls.self, { key })).status).toBe(204);
    expect(await services(bindings).objects.head(`${late!.output_prefix}overlay.png`)).toBeNull();
  });

  test('B15: a rendering that ends after its result was deleted is gone too', async () => {
    const { render, key, made } = await explained();
    const [asked, released] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
    const { fetch } = globalThis;
    const held = vi.spyOn(globalThis, 'fetch').mockImplementation(async (...call) => {
      if (!String(call[0]).endsWith(workerPaths.renderings)) return fetch(...call);
      asked.resolve(JSON.parse(String(call[1]!.body)).output_prefix);
      await released.promise;
      return fetch(...call);
    });
    const rendered = render({ visualization: viridis });
    const picture = `${await asked.promise}overlay.png`;
    expect((await call('DELETE', made.urls.self, { key })).status).toBe(204);
    await write(picture, 'late');
    released.resolve();
    expect([(await rendered).status, codeOf(await rendered)]).toEqual([410, 'artifact_expired']);
    held.mockRestore();
    await vi.waitFor(async () => expect(await services(bindings).objects.head(picture)).toBeNull(), {
      timeout: 20_000,
    });
  });

  test('L3: a rendering that was given up touches nothing of the next one, and is deleted', async () => {
    const { render, computation, fetchPicture } = await explained();
    await workerAnswers(500);
    expect((await render({ visualization: viridis })).status).toBe(503);
    await workerAnswers(202);
    const { artifacts } = (await render({ visualization: viridis })).body;
    const [given, taken] = (await renderingsOf(computation)).map(({ output_prefix }) => output_prefix);
    expect(given).not.toBe(taken);
    const { objects } = services(bindings);
    await write(`${taken}overlay.png`, 'the picture');
    await write(`${given}overlay.png`, 'a late one');
    const picture = await fetchPicture(artifacts.overlay.url);
    expect(await (await fetch(picture.headers.get('Location')!)).text()).toBe('the picture');
    await later(bindings.COMPUTATION.getByName(computation), lateWrites + 1_000);
    expect(await objects.head(`${given}overlay.png`)).toBeNull();
    expect(await objects.head(`${taken}overlay.png`)).not.toBeNull();
  });

  test('L3: a worker that has no time has written nothing, so nothing is deleted', async () => {
    const { render, computation } = await explained();
    await workerAnswers(503);
    expect((await render({ visualization: viridis })).status).toBe(503);
    await workerAnswers(202);
    const left = await runInDurableObject(
      bindings.COMPUTATION.getByName(computation),
      async (_, { storage }) => ({
        deletions: await storage.get('deletions'),
        begun: (await storage.list({ prefix: 'rendering-begun/' })).size,
      }),
    );
    expect(left).toEqual({ deletions: undefined, begun: 0 });
  });

  test('finds what an earlier release stored under other names: results, renderings, and scheduled deletions', async () => {
    const { render, computation, ask, key, made } = await explained();
    await workerAnswers(500);
    expect((await render({ visualization: { opacity: 0.3 } })).status).toBe(503);
    await workerAnswers(202);
    const before = (await render({ visualization: viridis })).body;
    const [late] = await renderingsOf(computation);
    await write(`${late!.output_prefix}overlay.png`, 'late');
    const stub = () => bindings.COMPUTATION.getByName(computation);
    const open = `t/none/x/${computation}/r/1/unfinished/`;
    await runInDurableObject(stub(), async (_, { storage }) => {
      const [retention, deletions] = await Promise.all([storage.get('retention'), storage.get('deletions')]);
      const renderings = await storage.list<object>({ prefix: 'rendering/' });
      expect([retention, deletions, renderings.size]).toEqual([expect.anything(), [expect.anything()], 1]);
      await storage.put({ shelf: retention, sweeps: deletions, 'drawing-begun/1/f': open });
      for (const [name, value] of renderings) {
        const { renderedAt: drawnAt, ...rest } = value as { renderedAt: number };
        await storage.put(name.replace('rendering', 'drawing'), { ...rest, drawnAt });
      }
      // More than one call of the store may write.
      for (let i = 0; i < 150; i++)
        await storage.put(`drawing/9/${i}`, { key: `${i}`, artifacts: [], drawnAt: i });
      await storage.delete(['retention', 'deletions', ...renderings.keys()]);
      await storage.sync();
    });
    // An eviction would wait until the time limits of the worker's calls are over.
    await runInDurableObject(stub(), (_, state) => state.abort('begin again')).catch(() => {});
    expect((await ask()).body.cache.status).toBe('hit');
    expect((await render({ visualization: viridis })).body).toMatchObject({
      cache: { status: 'hit' },
      artifacts: before.artifacts,
    });
    const names = await runInDurableObject(stub(), async (_, { storage }) => [
      ...(await storage.list<{ renderedAt: number }>()),
    ]);
    expect(names.filter(([name]) => /^(shelf|sweeps|drawing)/.test(name))).toEqual([]);
    expect(names.filter(([name]) => name.startsWith('rendering/9/'))).toHaveLength(150);
    expect(names.find(([name]) => name === 'rendering/9/149')?.[1].renderedAt).toBe(149);
    await later(stub(), lateWrites + 1_000);
    expect(await services(bindings).objects.head(`${late!.output_prefix}overlay.png`)).toBeNull();
    await write(`${open}overlay.png`, 'unfinished');
    expect((await call('DELETE', made.urls.self, { key })).status).toBe(204);
    expect(await services(bindings).objects.head(`${open}overlay.png`)).toBeNull();
  });

  test('a result is kept in so many styles; in others it can be drawn, but not kept', async () => {
    const { ask, render, computation } = await explained();
    await runInDurableObject(bindings.COMPUTATION.getByName(computation), async (_, { storage }) => {
      for (let i = 0; i < mostPinned; i++) storage.put(`rendering/1/${i}`, { key: `${i}`, pinned: true });
      await storage.sync();
    });
    const refused = await ask({ output: { visualization: viridis } });
    expect([refused.status, refused.body]).toMatchObject([
      400,
      { code: 'invalid_parameter', errors: [{ pointer: '/output/visualization' }] },
    ]);
    expect((await render({ visualization: viridis })).status).toBe(200);
    expect((await ask({ output: { visualization: viridis } })).status).toBe(400);
    expect((await ask()).status).toBe(200);
  });

  test('ten who want the same at once have it drawn once', async () => {
    const { render, computation } = await explained();
    const answers = await Promise.all(Array.from({ length: 10 }, () => render({ visualization: viridis })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await renderingsOf(computation)).toHaveLength(1);
  });

  test('H9: an explanation that is asked for in another style is a hit, and has its pictures', async () => {
    const { ask, see, computation, fetchPicture } = await explained();
    const asked = await ask({ output: { visualization: viridis }, language: 'zh' });
    expect([asked.status, asked.body.cache.status]).toEqual([200, 'hit']);
    expect(asked.body.output.visualization.color_map).toBe('viridis');
    expect(asked.body.language).toBe('zh');
    expect(asked.body.warnings).toEqual([
      { code: 'label_in_english', message: 'the class has no Chinese name' },
    ]);
    expect(asked.body.attributions[0]!.artifacts.overlay.sha256).toBe('1'.repeat(64));
    expect(asked.body.attributions[0]!.artifacts.attribution.sha256).toBe('0'.repeat(64));
    expect(unsigned(await see(asked.body))).toEqual(unsigned(asked.body));
    const url = (await fetchPicture(asked.body.attributions[0]!.artifacts.heatmap.url)).headers;
    expect(url.get('Location')).toMatch(/[0-9a-f]{64}\/[0-9a-f]{32}\/heatmap\.png/);
    expect(await jobsTaken(computation)).toHaveLength(1);
  });

  test('who asks while it is computed gets it in each one’s style', async () => {
    const { key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const ask = async (visualization: object) =>
      (await explain(key, { input: { upload }, output: { visualization } })).body;
    const [first, second, third] = [await ask(viridis), await ask({}), await ask({ opacity: 0.3 })];
    expect([first, second, third].map(({ cache }) => cache.status)).toEqual([
      'miss',
      'collapsed',
      'collapsed',
    ]);
    const [job] = await jobsTaken(cacheKeyOf(first!));
    expect(job!.style.visualization.color_map).toBe('viridis');
    expect((await report(job!, success(job!))).status).toBe(204);
    const see = async ({ urls }: Explanation) =>
      (await call<Explanation>('GET', `${urls.self}?wait=20`, { key })).body;
    const drawn = (made: Explanation) => made.attributions[0]!.artifacts.overlay.sha256[0];
    expect((await Promise.all([first!, second!, third!].map(see))).map(drawn)).toEqual(['0', '1', '1']);
    expect(await renderingsOf(cacheKeyOf(first!))).toHaveLength(2);
  });

  test('what is not explained yet, or no longer there, cannot be drawn', async () => {
    const { ask, render, key, made } = await explained();
    const waiting = (await ask({ target: { class_index: 1 } })).body;
    const early = await render({}, waiting);
    expect([early.status, codeOf(early)]).toEqual([409, 'explanation_not_ready']);
    const hit = (await ask()).body;
    expect((await call('DELETE', `/v1/explanations/${made.id}`, { key })).status).toBe(204);
    const late = await render({ visualization: viridis }, hit);
    expect([late.status, codeOf(late)]).toEqual([410, 'artifact_expired']);
  });

  test('with a result its drawings go', async () => {
    const { ask, render, key, made, fetchPicture, job, computation } = await explained();
    const { artifacts, cache } = (await render({ visualization: viridis })).body;
    const [drawn] = await renderingsOf(computation);
    const object = `${drawn!.output_prefix}overlay.png`;
    expect(object.startsWith(`${prefixOf(job)}${cache.key.slice('sha256:'.length)}/`)).toBe(true);
    await write(object, 'a picture');
    const hit = (await ask()).body;
    await call('DELETE', `/v1/explanations/${made.id}`, { key });
    const url = artifacts.overlay.url.replace(made.id, hit.id);
    expect([(await fetchPicture(url)).status, codeOf(await fetchPicture(url))]).toEqual([
      410,
      'artifact_expired',
    ]);
    expect(await services(bindings).objects.head(object)).toBeNull();
  });

  test('many who wait in styles of their own are drawn for a few at a time', async () => {
    const { key } = await newTenant();
    const upload = (await uploaded(key)).id;
    const ask = async (opacity: number) =>
      (await explain(key, { input: { upload }, output: { visualization: { opacity } } })).body;
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => ask((i + 1) / 100)));
    const [job] = await jobsTaken(cacheKeyOf(all[0]!));
    let [now, most] = [0, 0];
    const { fetch } = globalThis;
    const counted = vi.spyOn(globalThis, 'fetch').mockImplementation(async (...call) => {
      const draws = String(call[0]).endsWith(workerPaths.renderings);
      most = Math.max(most, draws ? ++now : now);
      return fetch(...call).finally(() => draws && now--);
    });
    expect((await report(job!, success(job!))).status).toBe(204);
    const ended = (made: Explanation) => call<Explanation>('GET', `${made.urls.self}?wait=20`, { key });
    for (const { body } of await Promise.all(all.map(ended))) expect(body.status).toBe('succeeded');
    counted.mockRestore();
    expect(await renderingsOf(cacheKeyOf(all[0]!))).toHaveLength(19);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  test('of drawings that no explanation rests on only the latest are kept', async () => {
    const { ask, render, fetchPicture, computation } = await explained();
    const pinned = (await ask({ output: { visualization: { opacity: 0.99 } } })).body;
    const oldest = (await render({ visualization: { opacity: 0.01 } })).body.artifacts.overlay.url;
    for (let i = 0; i < 32; i++) await render({ visualization: { opacity: 0.02 + i / 100 } });
    expect((await fetchPicture(oldest)).status).toBe(410);
    expect((await fetchPicture(pinned.attributions[0]!.artifacts.overlay.url)).status).toBe(302);
    expect((await render({ visualization: { opacity: 0.01 } })).body.cache.status).toBe('miss');
    expect(await renderingsOf(computation)).toHaveLength(35);
  });

  test.each([
    [{ color_map: 'virids' }, '/visualization/color_map', 'Did you mean "viridis"?'],
    [{ opacity: 0 }, '/visualization/opacity', '0'],
    [{ opacity: 1.5 }, '/visualization/opacity', '1'],
    [
      { clip_percent_lowerbound: 90, clip_percent_upperbound: 10 },
      '/visualization/clip_percent_lowerbound',
      'less',
    ],
    [{ colour: 'jet' }, '/visualization/colour', 'no such field'],
  ])('J3: %j is refused with a pointer', async (visualization, pointer, hint) => {
    const { render, computation } = await explained();
    const answer = await render({ visualization } as RenderingRequest);
    const [error] = (answer.body as unknown as { errors: { pointer: string; message: string }[] }).errors;
    expect([answer.status, error!.pointer]).toEqual([400, pointer]);
    expect(error!.message).toContain(hint);
    expect(await renderingsOf(computation)).toEqual([]);
  });
});
