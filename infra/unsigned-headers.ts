import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { sha256Hex, type Upload } from '@whylight/contract';

interface Service {
  readonly url: string;
  readonly apiKey: string;
}

/**
 * Adds headers that a signed URL does not sign to a PUT, as anybody with such a URL could. It announces two uploads of
 * random bytes for this, and deletes them.
 *
 * @throws AssertionError that says what the object store must do, unless it refuses each header
 */
export async function assertUnsignedHeadersRefused(service: Service): Promise<void> {
  const source = await announced(service);
  const target = await announced(service);
  try {
    assert.equal((await put(source, {})).status, 200, 'the object store must take a PUT as it was signed');
    const path = decodeURIComponent(new URL(source.upload.upload!.url).pathname);
    const [copied] = /\/[^/]+\/t\/.+$/.exec(path) ?? [];
    assert.ok(copied, `expected the signed URL of an object below t/, got ${path}`);
    for (const [name, value] of [
      ['x-amz-copy-source', copied],
      ['x-amz-meta-probe', '1'],
      ['x-amz-tagging', 'probe=1'],
      ['x-amz-acl', 'private'],
    ] as const) {
      const { status } = await put(target, { [name]: value });
      assert.ok(
        status === 501 || (status >= 400 && status < 500),
        `the object store answered ${status} to a signed PUT with the header ${name}, which is not signed: it must answer 403 to every x-amz-* header that X-Amz-SignedHeaders does not name, or a signed URL can be used to copy other objects`,
      );
    }
    assert.equal(
      (await put(target, {})).status,
      200,
      'what was refused must not have used the signed URL up',
    );
  } finally {
    for (const { upload } of [source, target])
      await call(service, 'DELETE', `/v1/uploads/${upload.id}`).catch(() => {});
  }
}

interface Announced {
  readonly upload: Upload;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function announced(service: Service): Promise<Announced> {
  const bytes = new Uint8Array(randomBytes(64));
  const about = { content_type: 'image/png', content_length: bytes.length, sha256: await sha256Hex(bytes) };
  const response = await call(service, 'POST', '/v1/uploads', about);
  assert.equal(response.status, 201, await response.clone().text());
  return { upload: (await response.json()) as Upload, bytes };
}

const call = ({ url, apiKey }: Service, method: string, path: string, body?: object): Promise<Response> =>
  fetch(new URL(path, url), {
    method,
    headers: { Authorization: `Bearer ${apiKey}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

async function put(
  { upload: { upload }, bytes }: Announced,
  more: Record<string, string>,
): Promise<Response> {
  // fetch counts bytes itself.
  const { 'content-length': _, ...headers } = upload!.headers;
  const response = await fetch(upload!.url, { method: 'PUT', headers: { ...headers, ...more }, body: bytes });
  await response.body?.cancel();
  return response;
}
