import { env } from 'cloudflare:workers';
import { type Model, sha256Hex } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { app } from '../src/app.ts';
import { mintKey } from '../src/domain/api-key.ts';
import { newId } from '../src/domain/ulid.ts';
import { Tenants } from '../src/storage/tenants.ts';
import { bindings, call, explain, newTenant, photo, put, uploaded } from './gateway.ts';
import { announceModel } from './own-model.ts';
import { operatorKey } from './secrets.ts';

const announcement = async (content_type: string, bytes = photo()) => ({
  content_type,
  content_length: bytes.length,
  sha256: await sha256Hex(bytes),
});

describe('J13: the type of a photo', () => {
  test.each([
    ['image/jpg', 'image/jpeg'],
    ['IMAGE/JPG', 'image/jpeg'],
    ['Image/Jpeg', 'image/jpeg'],
    ['image/pjpeg', 'image/jpeg'],
    ['IMAGE/PNG', 'image/png'],
    ['image/webp', 'image/webp'],
  ])('%s is %s, and is signed as that', async (said, type) => {
    const { key } = await newTenant();
    const bytes = photo();
    const body = await announcement(said, bytes);
    const answer = await call('POST', '/v1/uploads', { key, body });
    expect([answer.status, answer.body.content_type]).toEqual([201, type]);
    expect(answer.body.upload.headers['content-type']).toBe(type);
    await put(answer.body, bytes);
    expect((await call('GET', `/v1/uploads/${answer.body.id}`, { key })).body.status).toBe('ready');
    // Announced again, in either spelling, it is the same upload.
    const again = await call('POST', '/v1/uploads', { key, body });
    expect([again.status, again.body.id]).toEqual([200, answer.body.id]);
  });

  test.each(['image/heic', 'image/HEIF', 'image/heic-sequence'])(
    '%s is refused, and the answer says how to convert it',
    async (type) => {
      const { key } = await newTenant();
      const answer = await call('POST', '/v1/uploads', { key, body: await announcement(type) });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
      expect(answer.body.detail).toMatch(/convert to JPEG: iPhones do so when/);
    },
  );

  test('bytes that are there as another type are 409, which names the upload', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const { id } = await uploaded(key, bytes);
    const other = await call('POST', '/v1/uploads', { key, body: await announcement('image/jpeg', bytes) });
    expect([other.status, other.body.code]).toEqual([409, 'upload_type_conflict']);
    expect(other.body.detail).toContain(`image/png, in the upload ${id}`);
    expect((await call('DELETE', `/v1/uploads/${id}`, { key })).status).toBe(204);
    const then = await call('POST', '/v1/uploads', { key, body: await announcement('image/jpeg', bytes) });
    expect(then.status).toBe(201);
  });
});

describe('J13: the query', () => {
  test.each([
    ['/v1/explanations?limt=5', '?limt: There is no such query parameter. Did you mean "limit"?'],
    ['/v1/explanations?limit=5&startingafter=x', 'Did you mean "starting_after"?'],
    ['/v1/limits?verbose=1', '?verbose: There is no such query parameter.'],
  ])('%s is refused, with the nearest name', async (path, words) => {
    const { key } = await newTenant();
    const answer = await call('GET', path, { key });
    expect([answer.status, answer.body.code]).toEqual([400, 'unknown_field']);
    expect(answer.body.detail).toContain(words);
  });

  test.each(['1e2', '0x10', '+5', ' 5', '5.0', '', '0', '101'])('limit=%s is refused', async (limit) => {
    const { key } = await newTenant();
    const answer = await call('GET', `/v1/keys?limit=${encodeURIComponent(limit)}`, { key });
    expect([limit, answer.status, answer.body.errors?.[0].pointer]).toEqual([limit, 400, '/limit']);
  });

  test('a parameter that is there twice is refused', async () => {
    const { key } = await newTenant();
    expect((await call('GET', '/v1/keys?limit=5&limit=6', { key })).status).toBe(400);
    expect((await call('GET', '/v1/keys?limit=100', { key })).status).toBe(200);
  });
});

describe('J13: times', () => {
  const keyUntil = async (expires_at: string) =>
    call('POST', '/v1/keys', { key: (await newTenant()).key, body: { expires_at } });

  test('a time of any zone is accepted, and answered in UTC', async () => {
    const { status, body } = await keyUntil('2999-06-01T02:30:00+05:30');
    expect([status, body.expires_at]).toEqual([201, '2999-05-31T21:00:00.000Z']);
    const { id } = await newTenant();
    const made = await call('POST', `/v1/operator/tenants/${id}/keys`, {
      key: operatorKey,
      body: { expires_at: '2999-06-01T02:30:00-01:00' },
    });
    expect([made.status, made.body.expires_at]).toEqual([201, '2999-06-01T03:30:00.000Z']);
  });

  test('a key that has ended already is refused', async () => {
    const past = await keyUntil('2020-01-01T00:00:00Z');
    expect([past.status, past.body.errors[0].pointer]).toEqual([400, '/expires_at']);
    const { id } = await newTenant();
    const body = { expires_at: '2020-01-01T00:00:00Z' };
    const made = await call('POST', `/v1/operator/tenants/${id}/keys`, { key: operatorKey, body });
    expect([made.status, made.body.errors[0].pointer]).toEqual([400, '/expires_at']);
  });
});

describe('J13: bodies and names', () => {
  test.each(['gzip', 'br', 'deflate, gzip'])('a body in %s is 415', async (encoding) => {
    const { key } = await newTenant();
    const headers = { 'Content-Encoding': encoding };
    const body = await announcement('image/png');
    for (const path of ['/v1/uploads', '/v1/compat/kserve/v1/models/shapes:explain']) {
      const answer = await call('POST', path, { key, body, headers });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
      expect(answer.body.detail).toContain('without Content-Encoding');
    }
    const plain = await call('POST', '/v1/uploads', {
      key,
      body,
      headers: { 'Content-Encoding': 'identity' },
    });
    expect(plain.status).toBe(201);
  });

  test('a target in no known form is answered with all forms', async () => {
    const { key } = await newTenant();
    for (const target of ['dog', 281, ['dog']]) {
      const { status, text } = await explain(key, { input: { upload: 'upl_0' }, target: target as never });
      expect(status).toBe(400);
      for (const form of ['\\"predicted\\"', 'class_index', 'label', 'terms', '{\\"type\\": \\"class\\"}'])
        expect(text).toContain(form);
    }
    // Where the form is clear, the answer is about its member.
    const { status, text } = await explain(key, {
      input: { upload: 'upl_0' },
      target: { class_index: -1 },
    });
    expect([status, text.includes('/target/class_index')]).toEqual([400, true]);
  });

  test('M8: what a terminal would obey is refused in a name, and written out where an answer names it', async () => {
    const { key } = await newTenant();
    const hostile = 'cat\u001b]0;owned\u0007\u202e\u009b';
    const body = { input: { upload: 'upl_0' }, method: hostile, [hostile]: 1 };
    const answers = [
      await call('POST', '/v1/keys', { key, body: { name: hostile } }),
      await call('POST', '/v1/webhook_endpoints', { key, body: { url: `https://example.com/${hostile}` } }),
      await call('POST', '/v1/explanations', { key, body }),
      await call('GET', `/v1/keys?${encodeURIComponent(hostile)}=1`, { key }),
    ];
    for (const { status, body: answered } of answers) {
      expect(status).toBe(400);
      const shown = JSON.stringify([answered.detail, answered.errors]);
      expect(shown).not.toMatch(/[\u202e\u009b]|\\u001b(?!\])/);
      expect(`${answered.detail}`).not.toContain('\u001b');
    }
    expect(answers.at(-1)!.body.detail).toContain('cat\\u001b]0;owned\\u0007\\u202e\\u009b');
  });

  test('the parts of a model say their length as a number', async () => {
    const { key } = await newTenant();
    const { body } = await announceModel(key, { content_length: 20_000_000 });
    expect((body as Model).upload!.parts.map(({ offset, bytes }) => [offset, bytes])).toEqual([
      [0, 16_777_216],
      [16_777_216, 3_222_784],
    ]);
  });
});

describe('J6: the request id of the client', () => {
  test('is echoed beside ours', async () => {
    const { key } = await newTenant();
    const headers = { 'X-Request-Id': 'order-4711/a' };
    for (const path of ['/v1/keys', '/v1/nothing', '/livez']) {
      const answer = await call('GET', path, { key, headers });
      expect(answer.headers.get('X-Request-Id')).toBe('order-4711/a');
      expect(answer.headers.get('Request-Id')).toMatch(/^req_/);
    }
  });

  test('is not echoed if it is long or not printable', async () => {
    for (const id of ['x'.repeat(129), 'a b', 'ü'])
      expect(
        (await call('GET', '/livez', { headers: { 'X-Request-Id': id } })).headers.has('X-Request-Id'),
      ).toBe(false);
    expect((await call('GET', '/livez')).headers.has('X-Request-Id')).toBe(false);
  });
});

test('J10: an answer in the form of the version before says since when that form is out of date', async () => {
  const { key } = await newTenant();
  const get = (version: string) => call('GET', '/v1/keys', { key, headers: { 'X-Api-Version': version } });
  const since = (await get('2026-11-01')).headers.get('Deprecation');
  expect(new Date(Number(since!.slice(1)) * 1000).toISOString()).toBe('2026-12-01T00:00:00.000Z');
  expect((await get('2026-12-01')).headers.has('Deprecation')).toBe(false);
});

test('A11: whoever has not the secret causes the same work for an id that exists, in use or not, as for one that does not', async () => {
  const { key } = await newTenant();
  const asked: string[] = [];
  const counted = {
    prepare: (sql: string) => {
      asked.push(sql);
      return bindings.DB.prepare(sql);
    },
  } as D1Database;
  const tenants = new Tenants(counted);
  const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');
  const work = async (id: string, secret: string) => {
    asked.length = 0;
    compare.mockClear();
    const caller = await tenants.authenticate({ id, secret });
    return { caller: caller !== null, asked: asked.length, compared: compare.mock.calls.length };
  };
  const [, , kid, secret] = key.split('_');
  const wrong = mintKey(newId('key')).secret;
  const nothing = { caller: false, asked: 1, compared: 1 };
  expect(await work(`key_${kid}`, wrong)).toEqual(nothing);
  expect(await work(`key_${kid}`, secret!)).toEqual({ caller: true, asked: 1, compared: 1 });
  // The isolate remembers the key now, and only its holder notices.
  expect(await work(`key_${kid}`, secret!)).toEqual({ caller: true, asked: 0, compared: 0 });
  for (let time = 0; time < 2; time++) {
    expect(await work(`key_${kid}`, wrong)).toEqual(nothing);
    expect(await work(newId('key'), wrong)).toEqual(nothing);
  }
  expect(await work(`key_${kid}`, secret!)).toMatchObject({ caller: true, asked: 0 });
  compare.mockRestore();
});

test('L17: the document lists what this gateway does for clients, and nothing else', async () => {
  const { body } = await call('GET', '/openapi.json');
  const paths = Object.keys(body.paths);
  expect(paths.filter((path) => !path.startsWith('/v1/'))).toEqual(['/livez', '/readyz']);
  expect(body.servers[0].url).toBe(bindings.PUBLIC_URL);
  const direct = await app.request('/openapi.json', {}, { ...env, PUBLIC_URL: undefined } as never);
  expect(((await direct.json()) as { servers: { url: string }[] }).servers[0]!.url).toBe('/');
});
