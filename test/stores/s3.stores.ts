import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { objectUrl, resolveStore } from '@whylight/contract/store';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findUnsignedHeaders, type Objects } from './gateway-side.ts';
import { gatewaySide, startLocalStore, type TestedStore, workerSide } from './tested-store.ts';
import { startVersitygw } from './versitygw.ts';

const never = new AbortController().signal;
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64');
const hexDigest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.each([
  ['versitygw', async () => (await startVersitygw()).store],
  ['the local store', startLocalStore],
])('L13: what gateway, worker and clients ask of a store: %s', (_, start) => {
  let store: TestedStore;
  let objects: Objects;
  beforeAll(async () => {
    store = await start();
    objects = gatewaySide(store);
  });
  afterAll(() => store?.stop());

  const newName = () => `t/acme/u/${randomUUID()}`;
  /** What the gateway signs for an upload: length, type, SHA-256, and that nothing is there yet. */
  const headersFor = (bytes: Uint8Array) => ({
    'content-type': 'image/png',
    'content-length': String(bytes.length),
    'x-amz-checksum-sha256': digest(bytes),
    'if-none-match': '*',
  });
  const put = async (url: string, headers: Record<string, string>, bytes: Uint8Array): Promise<number> => {
    const { 'content-length': _, ...sent } = headers;
    const response = await fetch(url, { method: 'PUT', headers: sent, body: bytes.slice() });
    await response.text();
    return response.status;
  };

  test('a signed PUT takes exactly what was signed', async () => {
    const bytes = randomBytes(1000);
    const headers = headersFor(bytes);
    const name = newName();
    const url = await objects.signedPut(name, headers);
    expect(await put(url, headers, randomBytes(999)), 'another length').toBe(403);
    expect(await put(url, { ...headers, 'content-type': 'image/jpeg' }, bytes), 'another type').toBe(403);
    expect(await put(url, { ...headers, 'x-amz-checksum-sha256': digest(randomBytes(9)) }, bytes)).toBe(403);
    const { 'if-none-match': _, ...without } = headers;
    expect(await put(url, without, bytes), 'without If-None-Match').toBe(403);
    if (store.checksSha256) expect(await put(url, headers, randomBytes(1000)), 'other bytes').toBe(400);
    expect(await objects.head(name)).toBeNull();
    expect(await put(url, headers, bytes)).toBe(200);
    expect(await put(url, headers, bytes), 'again').toBe(412);
    expect(await objects.head(name)).toMatchObject({ bytes: 1000, contentType: 'image/png' });
    if (store.checksSha256) expect((await objects.head(name))!.sha256).toBe(digest(bytes));
  });

  test('it refuses x-amz-* headers that are not signed, of an object and of a part', async () => {
    const source = newName();
    await objects.put(source, new Uint8Array([1, 2, 3, 4]), 'image/png');
    expect(await findUnsignedHeaders(objects, { source, target: newName() })).toEqual([]);
    const target = newName();
    const headers = headersFor(randomBytes(4));
    const url = await objects.signedPut(target, headers);
    for (const more of ['x-amz-acl', 'x-amz-tagging', 'x-amz-meta-a', 'x-amz-storage-class'])
      expect(await put(url, { ...headers, [more]: 'STANDARD' }, new Uint8Array(4)), more).toBe(403);
    expect(await objects.head(target)).toBeNull();
  });

  test('a file comes in parts, and is one object then; a broken-off upload is gone', async () => {
    const parts = [randomBytes(5 * 2 ** 20), randomBytes(100)];
    const name = newName();
    const upload = await objects.beginParts(name);
    const etags = await Promise.all(
      parts.map(async (bytes, i) => {
        const url = await objects.signedPart(name, upload, i + 1, bytes.length);
        // Of the large part a store may close the connection before it has all bytes.
        if (bytes.length < 1000)
          expect(await put(url, {}, randomBytes(bytes.length + 1)), 'another length').toBe(403);
        const response = await fetch(url, { method: 'PUT', body: bytes });
        expect(response.status).toBe(200);
        return { part_number: i + 1, etag: response.headers.get('etag')! };
      }),
    );
    expect(await objects.joinParts(name, upload, [{ part_number: 1, etag: '0'.repeat(32) }])).toBe('refused');
    expect(await objects.joinParts(name, upload, etags)).toBe('joined');
    const whole = await workerSide(store).get(name, 6 * 2 ** 20, never);
    expect(hexDigest(whole)).toBe(hexDigest(Buffer.concat(parts)));

    const other = newName();
    const broken = await objects.beginParts(other);
    await objects.dropParts(other, broken);
    expect(await objects.joinParts(other, broken, etags)).toBe('gone');
  });

  test('what the worker writes a client reads by signed URL, whole or a range, as a download of its type', async () => {
    const bytes = randomBytes(500);
    const object = newName();
    await workerSide(store).put(object, bytes, { contentType: 'image/png', sha256: hexDigest(bytes) }, never);
    const artifact = { object, name: 'overlay.png', content_type: 'image/png' };
    const { signed_url } = await objects.signedGet(artifact);
    const whole = await fetch(signed_url);
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    expect(whole.headers.get('content-type')).toBe('image/png');
    if (store.namesDownloads) expect(whole.headers.get('content-disposition')).toContain('overlay.png');
    const range = await fetch(signed_url, { headers: { range: 'bytes=10-19' } });
    expect([range.status, range.headers.get('content-range')]).toEqual([206, 'bytes 10-19/500']);
    expect(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    expect(Buffer.from(await objects.read(object)).equals(bytes)).toBe(true);
  });

  test('it keeps nothing that was written with a wrong SHA-256, if it checks that', async () => {
    const bytes = randomBytes(10);
    const object = newName();
    const wrong = { contentType: 'image/png', sha256: hexDigest(randomBytes(3)) };
    const written = workerSide(store).put(object, bytes, wrong, never);
    if (!store.checksSha256) return expect(await written.catch(() => 'refused')).not.toBe('another answer');
    await expect(written).rejects.toMatchObject({ error: { code: 'storage_unavailable' } });
    expect(await objects.head(object)).toBeNull();
  });

  test('what is not there is missing, not refused; a deletion is one, also of nothing', async () => {
    const name = newName();
    expect(await objects.head(name)).toBeNull();
    const missing = workerSide(store).get(name, 10, never);
    await expect(missing).rejects.toMatchObject({ error: { code: 'upload_not_found' } });
    expect(await workerSide(store).has(name, never)).toBe(false);
    await objects.put(name, new Uint8Array([1]), 'image/png');
    expect(await workerSide(store).has(name, never)).toBe(true);
    expect([await objects.delete(name), await objects.head(name)]).toEqual([true, null]);
    expect(await objects.delete(name)).toBe(true);
  });

  test('nobody reads or lists without a signature', async () => {
    const name = newName();
    await objects.put(name, new Uint8Array([1]), 'image/png');
    const url = objectUrl(resolveStore(store.settings), name);
    const bucket = objectUrl(resolveStore(store.settings), '');
    for (const each of [url, bucket]) expect((await fetch(each)).ok, each.pathname).toBe(false);
    const other = new AwsClient({
      accessKeyId: 'nobody',
      secretAccessKey: 'nothing',
      service: 's3',
      region: 'auto',
      retries: 0,
    });
    expect((await other.fetch(url.href)).ok).toBe(false);
  });
});
