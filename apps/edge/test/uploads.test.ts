import { sha256Hex } from '@whylight/contract';
import { describe, expect, test, vi } from 'vitest';
import { services } from '../src/services.ts';
import {
  announce,
  bindings,
  cacheKeyOf,
  call,
  explain,
  jobsTaken,
  newTenant,
  photo,
  put,
  report,
  success,
  uploaded,
} from './gateway.ts';

const hash = 'a'.repeat(64);

describe('uploads', () => {
  test('the URL binds length, type and hash, lives five minutes, and names an object of the gateway’s making', async () => {
    const { id, key } = await newTenant();
    const bytes = photo();
    const { id: upload, upload: signed } = await announce(key, bytes);
    const url = new URL(signed!.url);
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe(
      'content-length;content-type;host;if-none-match;x-amz-checksum-sha256',
    );
    expect(url.searchParams.get('X-Amz-Expires')).toBe('300');
    expect(url.pathname).toMatch(new RegExp(`/photos/t/${id}/u/${upload.slice(4)}-[0-9a-f]{32}$`));
    expect(signed!.headers['x-amz-checksum-sha256']).toBe(
      btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))),
    );
  });

  test('C14: the URL carries no checksum of an empty body', async () => {
    const { key } = await newTenant();
    const { upload } = await announce(key, photo());
    expect(upload!.url.toLowerCase()).not.toContain('crc32');
  });

  test('C1: the store refuses another type, another length and another hash than were signed', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const upload = await announce(key, bytes);
    const { headers } = upload.upload!;
    const refused = [
      put(upload, bytes, { ...headers, 'content-type': 'image/webp' }),
      put(upload, bytes.slice(1), { ...headers, 'content-length': '63' }),
      put(upload, bytes, { ...headers, 'x-amz-checksum-sha256': 'AAAA' }),
    ];
    expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status).toBe('pending');
    expect((await put(upload, bytes)).status).toBe(200);
    expect((await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status).toBe('ready');
  });

  test('C2: what is too large is refused before a URL is signed, and so are other types', async () => {
    const { key } = await newTenant();
    const wish = (content_type: string, content_length: number) =>
      call('POST', '/v1/uploads', { key, body: { content_type, content_length, sha256: hash } });
    const large = await wish('image/jpeg', 26_214_401);
    expect([large.status, large.body.code]).toEqual([413, 'payload_too_large']);
    expect((await wish('image/jpeg', 26_214_400)).status).toBe(201);
    for (const type of ['image/svg+xml', 'text/html', 'image/gif', 'image/jpeg; charset=x', 'IMAGE/SVG+XML'])
      expect((await wish(type, 10)).status).toBe(415);
    for (const bad of [
      { content_length: 0 },
      { content_length: 1.5 },
      { sha256: 'A'.repeat(64) },
      { sha256: 'aa' },
    ])
      expect(
        (
          await call('POST', '/v1/uploads', {
            key,
            body: { content_type: 'image/png', content_length: 10, sha256: hash, ...bad },
          })
        ).status,
      ).toBe(400);
  });

  test('C3: a URL that was used cannot be used to put other bytes in the place of the first', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const upload = await announce(key, bytes);
    expect((await put(upload, bytes)).status).toBe(200);
    expect((await put(upload, photo())).status).toBe(412);
  });

  test('C4: an expired URL is refused by the store; the upload says so and can be announced again', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 301_000 });
    const upload = await announce(key, bytes).finally(() => vi.useRealTimers());
    expect((await put(upload, bytes)).status).toBe(403);
    expect((await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status).toBe('expired');
    const again = await announce(key, bytes);
    expect((await put(again, bytes)).status).toBe(200);
  });

  test('C5: an explanation of bytes that have not arrived is refused, and asks to be tried again', async () => {
    const { key } = await newTenant();
    const { id, sha256 } = await announce(key, photo());
    for (const input of [{ upload: id }, { sha256 }]) {
      const { status, body, headers } = await explain(key, { input });
      expect([status, (body as unknown as { code: string }).code]).toEqual([409, 'upload_not_ready']);
      expect(headers.get('Retry-After')).toBe('1');
    }
  });

  test('C1: an object that is not what was announced is not explained', async () => {
    const { id: tenant, key } = await newTenant();
    const upload = await uploaded(key);
    await bindings.DB.prepare('UPDATE uploads SET content_length = 65 WHERE tenant = ?').bind(tenant).run();
    expect((await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status).toBe('rejected');
    const { status, body } = await explain(key, { input: { upload: upload.id } });
    expect([status, (body as unknown as { code: string }).code]).toEqual([422, 'upload_mismatch']);
  });

  /** Stores other bytes of the same length, as a store does that compares no checksums. */
  async function putOthers(tenant: string, id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { objects, uploads } = services(bindings);
    const { object } = (await uploads.find(tenant, id))!;
    const headers = { 'content-type': 'image/png' };
    const url = await objects.signedPut(object, headers);
    expect((await fetch(url, { method: 'PUT', headers, body: bytes })).status).toBe(200);
  }

  test('L14: wrong bytes of the right length, which the worker finds, can be replaced by the right ones', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = photo();
    const upload = await announce(key, bytes);
    await putOthers(tenant, upload.id, photo());
    const status = async () => (await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status;
    expect(await status()).toBe('ready');
    expect((await put(upload, bytes)).status).toBe(412);
    const { body: explanation } = await explain(key, { input: { upload: upload.id } });
    const [job] = await jobsTaken(cacheKeyOf(explanation));
    const error = {
      code: 'upload_mismatch',
      message: 'the uploaded photo: another sha256',
      retryable: false,
    };
    await report(job!, { status: 'failed', error });
    expect(await status()).toBe('pending');
    expect((await explain(key, { input: { upload: upload.id } })).body).toMatchObject({
      code: 'upload_not_ready',
    });
    expect((await put(upload, bytes)).status).toBe(200);
    const { body: next } = await explain(key, { input: { upload: upload.id } });
    const second = (await jobsTaken(cacheKeyOf(next), 2)).at(-1)!;
    await report(second, success(second));
    const read = async (id: string) => (await call('GET', `/v1/explanations/${id}`, { key })).body;
    expect(await read(next.id)).toMatchObject({ status: 'succeeded' });
    expect(await read(explanation.id)).toMatchObject({
      status: 'failed',
      error: { code: 'upload_mismatch' },
    });
  });

  test('L14: a report of a mismatch never deletes the announced bytes', async () => {
    const { key } = await newTenant();
    const upload = await uploaded(key);
    const { body } = await explain(key, { input: { upload: upload.id } });
    const [job] = await jobsTaken(cacheKeyOf(body));
    const error = { code: 'upload_mismatch', message: 'the model: another sha256', retryable: false };
    await report(job!, { status: 'failed', error });
    expect((await call('GET', `/v1/uploads/${upload.id}`, { key })).body.status).toBe('ready');
  });

  test('L14: wrong bytes that the store knows to be wrong can be replaced once they were refused', async () => {
    const { id: tenant, key } = await newTenant();
    const bytes = photo();
    const upload = await announce(key, bytes);
    await putOthers(tenant, upload.id, bytes.slice(1));
    expect((await explain(key, { input: { upload: upload.id } })).body).toMatchObject({
      code: 'upload_mismatch',
    });
    expect((await put(upload, bytes)).status).toBe(200);
    expect((await explain(key, { input: { upload: upload.id } })).status).toBe(202);
  });

  test('C7: a URL opens one object for one verb', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const mine = await announce(key, bytes);
    const other = await announce(key, bytes);
    const moved = mine.upload!.url.replace(mine.id.slice(4), other.id.slice(4));
    const { headers } = mine.upload!;
    expect((await fetch(moved, { method: 'PUT', headers, body: bytes })).status).toBe(403);
    expect((await fetch(mine.upload!.url)).status).toBe(403);
  });

  test.each(['here', 'elsewhere'])(
    'what is known of a photo deleted %s is told nobody who asks for it',
    async (where) => {
      const { id: tenant, key } = await newTenant();
      const { id: upload, sha256 } = await uploaded(key);
      const ask = () => explain(key, { input: { upload } });
      const [job] = await jobsTaken(cacheKeyOf((await ask()).body));
      await report(job!, success(job!));
      expect((await ask()).body.cache.status).toBe('hit');
      if (where === 'here') await call('DELETE', `/v1/uploads/${upload}`, { key });
      else await bindings.DB.prepare('DELETE FROM uploads WHERE id = ?').bind(upload).run();
      const rows = () =>
        bindings.DB.prepare('SELECT count(*) AS n FROM explanations WHERE tenant = ?')
          .bind(tenant)
          .first<number>('n');
      const before = await rows();
      for (const input of [{ upload }, { sha256 }]) {
        const { status, body } = await explain(key, { input });
        expect([status, (body as unknown as { code: string }).code]).toEqual([404, 'resource_not_found']);
      }
      expect((await explain(key, { input: { upload } }, { 'Cache-Control': 'no-cache' })).status).toBe(404);
      expect(await rows()).toBe(before);
    },
  );

  test('bytes that this tenant has uploaded need no second upload', async () => {
    const { key } = await newTenant();
    const bytes = photo();
    const first = await uploaded(key, bytes);
    const body = { content_type: 'image/png', content_length: 64, sha256: await sha256Hex(bytes) };
    const second = await call('POST', '/v1/uploads', { key, body });
    expect([second.status, second.body.id, second.body.upload]).toEqual([200, first.id, null]);
    expect((await explain(key, { input: { sha256: body.sha256 } })).status).toBe(202);
  });
});
