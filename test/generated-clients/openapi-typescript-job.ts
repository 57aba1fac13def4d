/**
 * One job by openapi-fetch with the types that openapi-typescript has generated: `node openapi-typescript-job.ts URL KEY PHOTO`. It is copied beside these
 * and type-checked there, so nothing of the repository is imported.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { paths } from './whylight.d.ts';

const [url = '', key = '', photo = ''] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
const bytes = readFileSync(photo);

const announced = await client.POST('/v1/uploads', {
  body: {
    content_type: 'image/jpeg',
    content_length: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  },
});
if (!announced.data) throw new Error(announced.error.detail);
const { id, upload } = announced.data;
if (upload) {
  const stored = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: bytes });
  if (!stored.ok) throw new Error(`the store answered ${stored.status}`);
}

const explained = await client.POST('/v1/explanations', {
  params: { header: { Prefer: 'wait=60' } },
  body: {
    input: { upload: id },
    method: 'grad-cam',
    target: { type: 'class', index: 0, score: 'logit' },
  },
});
if (!explained.data) throw new Error(explained.error.detail);
const { status, attributions, method } = explained.data;
if (status !== 'succeeded') throw new Error(`expected "succeeded", got "${status}"`);

const artifact = await client.GET('/v1/explanations/{id}/artifacts/{name}', {
  params: { path: { id: explained.data.id, name: 'overlay.png' } },
  headers: { Accept: 'application/json' },
});
if (!artifact.data) throw new Error('expected the signed URL of the picture');
const picture = new Uint8Array(await (await fetch(artifact.data.url)).arrayBuffer());
if (picture[1] !== 0x50) throw new Error('expected a PNG file');

const missing = await client.GET('/v1/explanations/{id}', { params: { path: { id: 'exp_0' } } });
if (missing.error?.code !== 'resource_not_found') throw new Error('expected a problem with a code');
console.log(`${explained.data.id}: ${method}, class ${attributions[0]?.output_index}`);
