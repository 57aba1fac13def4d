import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Model, Tenant, Upload } from '@whylight/contract';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawing } from './service/pictures.ts';
import { RunningService } from './service/running-service.ts';

let service: RunningService;
let attacker: string;
/** The object of somebody else, as `/bucket/object`, and the announcement that anyone can make who knows its hash. */
let victim: string;
let announcement: { content_type: string; content_length: number; sha256: string };

const endpoint = () => `${service.ready.store_url}/cdn-cgi/local/r2/s3`;

beforeAll(async () => {
  service = await RunningService.start();
  const { png } = await drawing(41);
  const announced = await service.client.upload(png, 'image/png');
  victim = new URL(announced.upload!.url).pathname.replace('/cdn-cgi/local/r2/s3', '');
  const sha256 = createHash('sha256').update(png).digest('hex');
  announcement = { content_type: 'image/png', content_length: png.length, sha256 };
  const made = await service.call('/v1/operator/tenants', { name: 'attacker' }, service.ready.operator_key);
  attacker = ((await made.json()) as Tenant).key.secret;
});
afterAll(() => service?.remove());

const announce = async (): Promise<Upload> =>
  (await (await service.call('/v1/uploads', announcement, attacker)).json()) as Upload;

interface Signed {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** Sends bytes of the announced length, which are not the announced ones. */
const put = ({ url, headers }: Signed, more: Record<string, string>): Promise<Response> => {
  // fetch counts bytes itself.
  const { 'content-length': length, ...rest } = headers;
  return fetch(url, { method: 'PUT', headers: { ...rest, ...more }, body: new Uint8Array(Number(length)) });
};

const others = () => [
  { 'x-amz-copy-source': victim },
  { 'X-Amz-Copy-Source': victim.slice(1) },
  { 'x-amz-copy-source': encodeURIComponent(victim) },
  {
    'x-amz-copy-source': victim,
    'x-amz-copy-source-range': 'bytes=0-9',
    'x-amz-metadata-directive': 'REPLACE',
  },
  { 'x-amz-acl': 'public-read' },
  { 'x-amz-tagging': 'a=b' },
  { 'x-amz-meta-a': 'b' },
  { 'x-amz-storage-class': 'STANDARD' },
];

const stored = async (path: string): Promise<Response> => {
  const secrets = JSON.parse(await readFile(join(service.directory, 'secrets.json'), 'utf8'));
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = secrets;
  const store = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'auto' });
  return store.fetch(endpoint() + path);
};

describe('L2: a signed URL does what it was signed for', () => {
  test('L2: no header that it does not sign passes, and nothing is stored', async () => {
    const announced = await announce();
    const { pathname } = new URL(announced.upload!.url);
    for (const more of others()) {
      const response = await put(announced.upload!, more as Record<string, string>);
      const text = await response.text();
      expect([response.status, text], JSON.stringify(more)).toEqual([
        403,
        expect.stringContaining('AccessDenied'),
      ]);
      expect(text).toMatch(/The header x-amz-[a-z-]+ is not signed/);
    }
    expect((await stored(pathname.replace('/cdn-cgi/local/r2/s3', ''))).status).toBe(404);
    const { status } = (await (
      await service.call(`/v1/uploads/${announced.id}`, undefined, attacker)
    ).json()) as Upload;
    expect(status).toBe('pending');
  });

  test('L2: nor does one of a part of a model', async () => {
    const { sha256 } = announcement;
    const asked = { name: 'stolen', sha256, content_length: 16 * 2 ** 20 + 1 };
    const model = (await (await service.call('/v1/models', asked, attacker)).json()) as Model;
    const { parts } = model.upload as { parts: Signed[] };
    const [large, small] = parts as [Signed, Signed];
    // The large one more than once: a client that is answered too early may see a broken connection instead.
    const copies = others().slice(0, 4);
    const tries = [
      ...copies.map((more) => [large, more] as const),
      ...others().map((more) => [small, more] as const),
    ];
    for (const [part, more] of tries) {
      const response = await put(part, more as Record<string, string>);
      expect([response.status, response.headers.get('etag')], JSON.stringify(more)).toEqual([403, null]);
    }
    expect((await put(small, {})).status).toBe(200);
  });

  test('L2: nor does a parameter that it does not sign, or another signature beside its own', async () => {
    const { upload } = await announce();
    for (const more of [
      'x-amz-copy-source=/a/b',
      'X-Amz-Meta-A=b',
      'tagging',
      'acl',
      'uploads',
      'X-Amz-SignedHeaders=host',
    ])
      expect((await put({ ...upload!, url: `${upload!.url}&${more}` }, {})).status, more).toBe(403);
    const authorization = `AWS4-HMAC-SHA256 Credential=x/20261101/auto/s3/aws4_request, SignedHeaders=host;x-amz-copy-source, Signature=${'0'.repeat(64)}`;
    expect((await put(upload!, { authorization, 'x-amz-copy-source': victim })).status).toBe(403);
    expect((await put({ ...upload!, url: upload!.url.split('?')[0]! }, {})).status).toBe(403);
  });

  test('L2: nothing is copied, even by who has the store’s own key', async () => {
    const secrets = JSON.parse(await readFile(join(service.directory, 'secrets.json'), 'utf8'));
    const store = new AwsClient({
      accessKeyId: secrets.s3AccessKeyId,
      secretAccessKey: secrets.s3SecretAccessKey,
      service: 's3',
      region: 'auto',
      retries: 0,
    });
    const copied = { method: 'PUT', headers: { 'x-amz-copy-source': victim } };
    const response = await store.fetch(`${endpoint()}/whylight/copy`, copied);
    expect([response.status, await response.text()]).toEqual([
      403,
      expect.stringContaining('copies no objects'),
    ]);
    expect((await store.fetch(endpoint() + victim)).status).toBe(200);
  });

  test('L2: what it signs passes, and what a client says beside it is not kept', async () => {
    const { upload } = await announce();
    const response = await put(upload!, { 'content-encoding': 'gzip', 'cache-control': 'max-age=9' });
    expect(response.status).toBe(200);
    const { headers } = await stored(new URL(upload!.url).pathname.replace('/cdn-cgi/local/r2/s3', ''));
    expect([
      headers.get('content-type'),
      headers.get('content-encoding'),
      headers.get('cache-control'),
    ]).toEqual(['image/png', null, null]);
  });
});
