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

test('A15: the playground uploads, explains and draws, though the store is another origin', async () => {
  await using tab = await openTab({ root });
  const service = await RunningService.start();
  try {
    const { page } = tab;
    for (const host of ['127.0.0.1', 'localhost']) {
      await page.goto(`${service.ready.url.replace('127.0.0.1', host)}/playground`);
      await page.fill('#key', service.ready.api_key);
      await page.press('#key', 'Enter');
      await page.waitForFunction(() => !document.querySelector<HTMLInputElement>('#photo')!.disabled);
      const { png } = await drawing(host.length);
      await page.setInputFiles('#photo', { name: 'a.png', mimeType: 'image/png', buffer: Buffer.from(png) });
      await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#explain')!.disabled);
      await page.click('#explain');
      const drawn = () =>
        page.waitForFunction(
          () => {
            const images = [...document.querySelectorAll<HTMLImageElement>('#results img')];
            return (
              images.length > 0 &&
              images.every((image) => image.src.startsWith('blob:') && image.naturalWidth > 0)
            );
          },
          undefined,
          { timeout: 120_000 },
        );
      await drawn();
      expect(await page.textContent('#error')).toBe('');
    }
    expect(tab.errors).toEqual([]);
  } finally {
    await service.remove();
  }
});
