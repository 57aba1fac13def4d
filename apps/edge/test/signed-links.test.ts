import type { ArtifactLink, Explanation } from '@whylight/contract';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  at,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  prefixOf,
  report,
  success,
  uploaded,
  write,
} from './gateway.ts';

let key: string;
let made: Explanation;
const seconds = 1000;

const overlayOf = (explanation: Explanation): ArtifactLink => explanation.attributions[0]!.artifacts.overlay;
const read = (headers: Record<string, string> = {}) => call('GET', made.urls.self, { key, headers });

beforeAll(async () => {
  ({ key } = await newTenant());
  const asked = { input: { upload: (await uploaded(key)).id } };
  const first = await explain(key, asked, { 'Idempotency-Key': 'artifacts' });
  const [job] = await jobsTaken(cacheKeyOf(first.body));
  for (const { name } of success(job!).artifacts) await write(`${prefixOf(job!)}${name}`, name);
  await report(job!, success(job!));
  made = (await call<Explanation>('GET', first.body.urls.self, { key })).body;
});

describe('L11: answers that show an artifact', () => {
  test('L11: have for each a signed URL that gives the bytes without a key, and its end', async () => {
    const { artifacts } = made.attributions[0]!;
    expect(Object.values(artifacts)).toHaveLength(4);
    for (const { name, url, signed_url, expires_at } of Object.values(artifacts)) {
      const response = await fetch(signed_url!);
      expect([response.status, await response.text()]).toEqual([200, name]);
      const { searchParams } = new URL(signed_url!);
      const [, date, time] = /^(\d{8})T(\d{6})Z$/.exec(searchParams.get('X-Amz-Date')!)!;
      const signedAt = `${date}${time}`.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z');
      expect(Date.parse(expires_at!) - Date.parse(signedAt)).toBe(
        Number(searchParams.get('X-Amz-Expires')) * seconds,
      );
      expect((await call('GET', url, { key })).status).toBe(302);
    }
  });

  test('L11: are those of a list, of a repeated question, of a cancellation and of a rendering too', async () => {
    const asked = { input: { sha256: made.input.sha256 } };
    const list = await call('GET', '/v1/explanations', { key });
    const answers = [
      list.body.data.find(({ id }: Explanation) => id === made.id),
      (await explain(key, asked)).body,
      (await call('POST', made.urls.cancel, { key })).body,
    ].map(overlayOf);
    const rendering = await call('POST', `${made.urls.self}/render`, { key, body: {} });
    for (const link of [...answers, rendering.body.artifacts.heatmap])
      expect(await (await fetch(link.signed_url)).text()).toBe(link.name);
  });

  test('L11: have another URL a second later, and the same ETag', async () => {
    const first = await read();
    const second = await at(2 * seconds, read);
    expect(overlayOf(second.body).signed_url).not.toBe(overlayOf(first.body).signed_url);
    expect(second.headers.get('ETag')).toBe(first.headers.get('ETag'));
  });

  test('L11: are 304 only while the URLs of the answer with that ETag are good for two minutes more', async () => {
    const start = Date.parse(made.completed_at!);
    const after = (age: number, headers = {}) => at(start + age - Date.now(), () => read(headers));
    for (const [given, asked] of [
      [0, 149],
      [149, 151],
      [151, 299],
      [299, 301],
      [10, 1_000_010],
    ] as const) {
      const first = await after(given * seconds);
      const tag = { 'If-None-Match': first.headers.get('ETag')! };
      const { status } = await after(asked * seconds, tag);
      if (status === 304) {
        const left = Date.parse(overlayOf(first.body).expires_at!) - (start + asked * seconds);
        expect(left, `${given} ${asked}`).toBeGreaterThan(120 * seconds);
      }
      expect([given, asked, status]).toEqual([
        given,
        asked,
        Math.floor(given / 150) === Math.floor(asked / 150) ? 304 : 200,
      ]);
    }
  });

  test('L11: without artifacts have an ETag that does not age', async () => {
    const queued = await explain(key, { input: { sha256: made.input.sha256 }, method: 'saliency' });
    const tag = async () => (await call('GET', queued.body.urls.self, { key })).headers.get('ETag');
    expect(await at(1000 * seconds, tag)).toBe(await tag());
  });
});

describe('L11: a repeated request with the same Idempotency-Key', () => {
  const asked = { input: { sha256: '' }, convention: 'torchcam' as const };
  const ask = () => explain(key, asked, { 'Idempotency-Key': 'fresh', Prefer: 'wait=30' });

  test('L11: gets URLs of now, though the answer is that of a day ago; of a deleted result it gets none', async () => {
    asked.input.sha256 = made.input.sha256;
    const waiting = ask();
    const probe = await explain(key, asked);
    const [job] = await jobsTaken(cacheKeyOf(probe.body));
    for (const { name } of success(job!).artifacts) await write(`${prefixOf(job!)}${name}`, name);
    await report(job!, success(job!));
    const first = await waiting;
    expect([first.status, first.headers.get('Idempotent-Replayed')]).toEqual([200, null]);
    expect(overlayOf(first.body).signed_url).toBeDefined();

    const hours = 20 * 3600 * seconds;
    const [later, now] = await at(hours, async () => [await ask(), Date.now()] as const);
    expect([later.status, later.headers.get('Idempotent-Replayed')]).toEqual([200, 'true']);
    const { expires_at, signed_url } = overlayOf(later.body);
    expect(Math.abs(Date.parse(expires_at!) - now - 300 * seconds)).toBeLessThan(60 * seconds);
    const plain = ({ body }: typeof later) =>
      JSON.stringify(body, (name, value) => (/^signed_url$|^expires_at$/.test(name) ? undefined : value));
    expect(plain(later)).toBe(plain(first));
    expect(signed_url).not.toBe(overlayOf(first.body).signed_url);

    const again = await ask();
    expect(again.text.length).toBe(first.text.length);
    expect(await (await fetch(overlayOf(again.body).signed_url!)).text()).toBe('overlay.png');

    expect((await call('DELETE', first.body.urls.self, { key })).status).toBe(204);
    const gone = await ask();
    expect([gone.status, gone.headers.get('Idempotent-Replayed')]).toEqual([200, 'true']);
    expect(gone.text).not.toMatch(/signed_url|X-Amz/);
    expect(overlayOf(gone.body).url).toBe(overlayOf(first.body).url);
  });

  test('L11: has nothing of a signed URL in what is stored', async () => {
    const again = await ask();
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    expect(again.text).not.toMatch(/X-Amz/);
  });
});

describe('L11: the stable link', () => {
  const link = (headers: Record<string, string>, name = 'overlay.png') =>
    call('GET', `${made.urls.self}/artifacts/${name}`, { key, headers });

  test.each([
    '*/*',
    'application/json, text/plain, */*',
    'image/png, application/json;q=0.1',
    'image/*',
    'application/json;q=0.5, */*;q=0.8',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'application/json;q=0, */*',
    'text/html',
  ])('L11: Accept: %s gets the picture', async (Accept) => {
    const { status, headers } = await link({ Accept });
    expect(status).toBe(302);
    expect(await (await fetch(headers.get('Location')!)).text()).toBe('overlay.png');
  });

  test.each(['application/json', 'Application/JSON;q=0.9, */*;q=0.8', 'application/json, image/png;q=0.5'])(
    'L11: Accept: %s gets the URL as JSON',
    async (Accept) => {
      for (const name of ['overlay.png', 'result.json']) {
        const { status, body } = await link({ Accept }, name);
        expect([status, await (await fetch(body.url)).text()]).toEqual([200, name]);
      }
    },
  );

  test.each([
    'Wget/1.21.3',
    'Python-urllib/3.11',
    'Java-http-client/17.0.15',
    'Go-http-client/1.1',
    'node-fetch',
  ])('L11: %s, which would take the key along, gets the bytes from the gateway', async (agent) => {
    const { status, headers, text } = await link({ 'User-Agent': agent });
    expect([status, text, headers.get('Location')]).toEqual([200, 'overlay.png', null]);
    expect(headers.get('Content-Type')).toBe('image/png');
    expect(headers.get('Content-Disposition')).toBe('attachment; filename="overlay.png"');
    expect(headers.get('Cache-Control')).toBe('private, no-store');
    const asJson = await link({ 'User-Agent': agent, Accept: 'application/json' });
    expect(Object.keys(asJson.body)).toEqual(['url', 'expires_at']);
  });

  test('L11: of other clients none is streamed', async () => {
    for (const agent of ['curl/8.0', 'node', 'axios/1.7', 'python-requests/2.32', 'Mozilla/5.0 Wget/1.2'])
      expect((await link({ 'User-Agent': agent })).status, agent).toBe(302);
  });
});
