import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '../testing/world.ts';
import { type S3Settings, s3Storage } from './s3.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local-secret' };
const never = new AbortController().signal;
const bytes = Buffer.from('the photo');

let miniflare: Miniflare;
let settings: S3Settings;

beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      modules: true,
      script: 'export default { fetch: () => new Response() }',
      compatibilityDate: '2026-11-01',
      host: '127.0.0.1',
      r2Buckets: { BUCKET: { id: 'photos', s3Credentials: credentials } },
    }),
  );
  const endpoint = new URL('/cdn-cgi/local/r2/s3', await miniflare.ready).href;
  settings = { ...credentials, endpoint, region: 'auto', bucket: 'photos', forcePathStyle: true };
});
afterAll(() => miniflare.dispose());

const put = (object: string) =>
  s3Storage(settings).put(object, bytes, { contentType: 'image/png', sha256: sha256(bytes) }, never);

/** Reads from a server that answers as `answer` does. */
async function getFrom(answer: RequestListener): Promise<Uint8Array> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await s3Storage({ ...settings, endpoint: `http://127.0.0.1:${port}` }).get('photo', 100, never);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('what was put is got, with its type', async () => {
  await put('t/acme/x/1/overlay.png');
  expect(Buffer.from(await s3Storage(settings).get('t/acme/x/1/overlay.png', 100, never))).toEqual(bytes);
  const stored = await (await miniflare.getR2Bucket('BUCKET')).head('t/acme/x/1/overlay.png');
  expect(stored?.httpMetadata?.contentType).toBe('image/png');
});

test('an object that is not there is an upload that was not found', async () => {
  await expect(s3Storage(settings).get('nothing', 100, never)).rejects.toMatchObject({
    error: { code: 'upload_not_found', retryable: false },
  });
});

test('an object is read up to its declared size, not further', async () => {
  await put('large');
  await expect(s3Storage(settings).get('large', bytes.length - 1, never)).rejects.toMatchObject({
    error: { code: 'upload_mismatch', message: 'the uploaded file: expected 8 bytes, got more' },
  });
});

test('wrong credentials are the store’s failure, not the user’s, and stay out of the message', async () => {
  const storage = s3Storage({ ...settings, secretAccessKey: 'wrong-secret' });
  const failure = {
    error: {
      code: 'storage_unavailable',
      retryable: true,
      message: expect.not.stringMatching(/secret|local/),
    },
  };
  await expect(storage.get('large', 100, never)).rejects.toMatchObject(failure);
  await expect(
    storage.put('x', bytes, { contentType: 'a/b', sha256: sha256(bytes) }, never),
  ).rejects.toMatchObject(failure);
});

test('a store that recovers is asked again', async () => {
  let asked = 0;
  const got = await getFrom((_, response) => {
    asked++;
    if (asked < 3) response.writeHead(503).end();
    else response.end(bytes);
  });
  expect(Buffer.from(got)).toEqual(bytes);
});

test('a body that breaks off is read again from the start', async () => {
  let asked = 0;
  const got = await getFrom((_, response) => {
    asked++;
    response.writeHead(200, { 'content-length': bytes.length });
    if (asked < 2) response.write(bytes.subarray(0, 3), () => response.destroy());
    else response.end(bytes);
  });
  expect(Buffer.from(got)).toEqual(bytes);
});

test('a store that stays down is unavailable, after a bounded number of tries', async () => {
  let asked = 0;
  const got = getFrom((_, response) => {
    asked++;
    response.writeHead(500).end();
  });
  await expect(got).rejects.toMatchObject({ error: { code: 'storage_unavailable' } });
  expect(asked).toBe(3);
});

test('a read that is taken back ends at once', async () => {
  const controller = new AbortController();
  const server = createServer(() => controller.abort(new Error('taken back')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const got = s3Storage({ ...settings, endpoint }).get('photo', 100, controller.signal);
  await expect(got).rejects.not.toHaveProperty('error');
  server.closeAllConnections();
  server.close();
});
