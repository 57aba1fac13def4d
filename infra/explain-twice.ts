import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { WhylightClient } from '@whylight/client';
import { sha256Hex } from '@whylight/contract';

const types = new Map([
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.png', 'image/png'],
  ['.webp', 'image/webp'],
]);

/**
 * Sends one photo through a service, twice, and prints what it says of the photo.
 *
 * @throws AssertionError unless the second answer comes from the cache and all artifacts can be fetched, with their digests
 */
export async function explainTwice(client: WhylightClient, path: string): Promise<void> {
  const { id } = await client.upload(
    new Uint8Array(await readFile(path)),
    types.get(extname(path).toLowerCase()) ?? '',
  );
  for (const round of ['first', 'second']) {
    const start = performance.now();
    const { explanation, cacheStatus } = await client.explain({ input: { upload: id }, method: 'grad-cam' });
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
}
