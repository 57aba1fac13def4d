/**
 * One photo through a running service, twice: `node infra/smoke.ts URL PHOTO`, with the key in WHYLIGHT_API_KEY.
 * Fails unless the second answer comes from the cache and all four artifacts can be fetched, with their digests, and the
 * object store refuses what a signed URL does not sign.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { WhylightClient } from '@whylight/client';
import { sha256Hex } from '@whylight/contract';
import { assertUnsignedHeadersRefused } from './unsigned-headers.ts';

const [url, path] = process.argv.slice(2);
const apiKey = process.env.WHYLIGHT_API_KEY;
if (!url || !path || !apiKey) {
  console.error('usage: WHYLIGHT_API_KEY=... node infra/smoke.ts URL PHOTO');
  process.exit(2);
}

const client = new WhylightClient({ url, apiKey });
const types = new Map([
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.png', 'image/png'],
  ['.webp', 'image/webp'],
]);
const { id } = await client.upload(
  new Uint8Array(await readFile(path)),
  types.get(extname(path).toLowerCase()) ?? '',
);
const request = { input: { upload: id }, method: 'grad-cam' };

for (const round of ['first', 'second']) {
  const start = performance.now();
  const { explanation, cacheStatus } = await client.explain(request);
  assert.equal(explanation.status, 'succeeded', JSON.stringify(explanation.error));
  if (round === 'second') assert.match(cacheStatus, /\bhit\b/);
  const { artifacts } = explanation.attributions[0]!;
  for (const { name, sha256 } of Object.values(artifacts))
    assert.equal(await sha256Hex(await client.artifact(explanation.id, name)), sha256, name);
  const [best] = explanation.predictions;
  console.log(
    `${round}: ${best?.label} ${(best?.probability ?? best?.score)?.toFixed(3)}, ${cacheStatus}, ${(performance.now() - start).toFixed(0)} ms with artifacts`,
  );
}

await assertUnsignedHeadersRefused({ url, apiKey });
console.log('store: headers that are not signed are refused');
