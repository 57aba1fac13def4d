import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalStore } from '../testing/local-store.ts';
import { sha256 } from '../testing/world.ts';
import { s3Storage } from './s3.ts';
import type { S3Settings } from './s3-client.ts';

const never = new AbortController().signal;
const bytes = Buffer.from('the photo');

let store: Awaited<ReturnType<typeof startLocalStore>>;
let settings: S3Settings;

beforeAll(async () => {
  store = await startLocalStore();
  const { accessKeyId, secretAccessKey, endpoint, bucket } = store;
  settings = { accessKeyId, secretAccessKey, endpoint, bucket, region: 'auto', style: 'path' };
});
afterAll(() => store.stop());

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
  const stored = await store.head('t/acme/x/1/overlay.png');
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

describe('L13: the worker tries the store before it takes jobs', () => {
  const events: [string, unknown][] = [];
  const findFault = async (change: Partial<S3Settings> = {}): Promise<string | null> => {
    const storage = s3Storage({ ...settings, ...change });
    const problem = await storage.findProblem(never, (event, fields) => events.push([event, fields]));
    return problem?.reason ?? null;
  };

  /** A store in memory that answers as `answer` says, or works. */
  async function faultOfStoreThat(answer: (method: string, url: string) => [number, string] | null) {
    const stored = new Map<string, Buffer>();
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = '', url = '' } = request;
      const path = url.split('?')[0]!;
      const refused = answer(method, path);
      if (refused) {
        response.writeHead(refused[0], { 'content-type': 'application/xml' });
        return response.end(method === 'HEAD' ? '' : refused[1]);
      }
      if (method === 'PUT') stored.set(path, Buffer.concat(chunks));
      if (method === 'DELETE') stored.delete(path);
      const found = stored.get(path);
      if (method === 'GET' || method === 'HEAD') return response.writeHead(found ? 200 : 404).end(found);
      return response.writeHead(method === 'DELETE' ? 204 : 200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      return { fault: await findFault({ endpoint }), left: [...stored.keys()] };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const xml = (code: string, more = '') => `<Error><Code>${code}</Code>${more}</Error>`;

  test('L13: one that works has no fault, and keeps nothing of the trial', async () => {
    expect(await findFault()).toBeNull();
    expect(await store.list('t/probe/')).toEqual([]);
    expect(await faultOfStoreThat(() => null)).toEqual({ fault: null, left: [] });
  });

  test.each<[string, [number, string], RegExp]>([
    ['PUT', [403, xml('AccessDenied')], /refuses PUT to this key\. Give the key the right s3:PutObject/],
    ['GET', [403, xml('AccessDenied')], /Give the key the right s3:GetObject,/],
    ['HEAD', [403, ''], /the right s3:GetObject and s3:ListBucket/],
    [
      'PUT',
      [400, xml('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>')],
      /expects the region "eu-west-1", and "auto" was used\. Set S3_REGION=eu-west-1/,
    ],
    [
      'PUT',
      [301, xml('PermanentRedirect', '<Endpoint>photos.s3.eu-west-1.amazonaws.com</Endpoint>')],
      /does not accept the region "auto"\. Set S3_REGION/,
    ],
    ['PUT', [404, xml('NoSuchBucket')], /does not know the bucket "photos"/],
    [
      'PUT',
      [403, xml('SignatureDoesNotMatch', '<StringToSign>AWS4 secret</StringToSign>')],
      /Set S3_SECRET_ACCESS_KEY/,
    ],
    ['PUT', [405, '<html><body>console</body></html>'], /does not answer as an S3 store does/],
    ['GET', [200, 'other bytes'], /gave back other bytes than were written/],
    ['PUT', [503, xml('SlowDown')], /has a fault or too much to do.*503 SlowDown/],
  ])('L13: %s answered by %j', async (verb, answer, sentence) => {
    const { fault } = await faultOfStoreThat((method) => (method === verb ? answer : null));
    expect(fault).toMatch(sentence);
    expect(fault).not.toMatch(/AWS4|local-secret/);
  });

  test('L13: one that is not there is named with its host and the cause', async () => {
    expect(await findFault({ endpoint: 'http://127.0.0.1:9' })).toMatch(
      /The object store 127\.0\.0\.1:9 does not answer: nothing listens there\..*ECONNREFUSED/,
    );
    expect(await findFault({ endpoint: 'http://store.invalid', style: 'virtual' })).toMatch(
      /its name cannot be resolved\. Correct S3_ENDPOINT\..*set S3_STYLE=path.*photos\.store\.invalid: no answer (ENOTFOUND|EAI_AGAIN)/,
    );
  });

  test('L13: a key that may not delete is enough; the log names the object that stays', async () => {
    events.length = 0;
    const { fault, left } = await faultOfStoreThat((method) =>
      method === 'DELETE' ? [403, xml('AccessDenied')] : null,
    );
    expect([fault, left.length]).toEqual([null, 1]);
    const object = left[0]!.slice('/photos/'.length);
    expect(events).toEqual([
      ['probe_object_left', { object, cause: expect.stringMatching(/^DELETE .*: 403 AccessDenied$/) }],
    ]);
  });
});
