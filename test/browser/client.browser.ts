import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTab } from '../../packages/web/test/browser/tab.ts';
import { drawing } from '../service/pictures.ts';
import { RunningService } from '../service/running-service.ts';
import type {} from './page/main.ts';

const root = join(import.meta.dirname, 'page');

test('A15: @whylight/client works from a page of an origin that the service is told, and from no other', async () => {
  await using own = await openTab({ root });
  await using other = await openTab({ root });
  const service = await RunningService.start({ corsOrigins: [new URL(own.url).origin] });
  try {
    const { png, label } = await drawing(61);
    const { url, api_key } = service.ready;
    const sent = [url, api_key, [...png]] as const;
    const use = ({ page }: typeof own) =>
      page.evaluate((given) => useClient(...given), sent as [string, string, number[]]);
    expect(await use(own)).toEqual({
      label,
      cacheStatus: 'whylight; fwd=miss; stored',
      pictures: Array.from({ length: 4 }, () => [...Buffer.from('PNG')]),
      refusal: 'resource_not_found',
      headers: [expect.stringMatching(/^req_/), expect.any(String), expect.any(String)],
    });
    await expect(use(other)).rejects.toThrow(/Failed to fetch/);
    // The store alone is closed to that page, too.
    const { explanation } = await service.client.explain({
      input: { sha256: (await service.client.upload(png, 'image/png')).sha256 },
      method: 'grad-cam',
    });
    const signed = explanation.attributions[0]!.artifacts.overlay.signed_url!;
    const fetched = ({ page }: typeof own) => page.evaluate(async (at) => (await fetch(at)).status, signed);
    expect(await fetched(own)).toBe(200);
    await expect(fetched(other)).rejects.toThrow(/Failed to fetch/);
  } finally {
    await service.remove();
  }
});
