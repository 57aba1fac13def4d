/** Takes pictures of the page to look at: `node test/browser/screenshots.ts FOLDER`, in two widths, light and dark. */
import { join } from 'node:path';
import { buildPage, isExplained, isReady } from './page.ts';

const folder = process.argv[2] ?? '.';
await using built = await buildPage();
for (const [width, height] of [
  [1280, 900],
  [390, 844],
] as const)
  for (const colorScheme of ['light', 'dark'] as const) {
    await using visit = await built.visit({
      viewport: { width, height },
      colorScheme,
      reducedMotion: 'reduce',
    });
    const { page } = visit;
    const take = (name: string) =>
      page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    await take('first');
    await isReady(page);
    for (const method of ['grad-cam', 'layer-cam', 'lrp', 'saliency']) await isExplained(page, method);
    await take('live');
    if (width === 1280 && colorScheme === 'light') {
      const tile = page.locator('[data-method="grad-cam"]');
      await tile.getByText('Is it any good?').click();
      await tile.getByRole('button', { name: /^Test it/ }).click();
      await tile.locator('.curve').nth(1).waitFor({ timeout: 300_000 });
      await take('tested');
      await page.getByRole('button', { name: 'More methods' }).click();
      await take('methods');
    }
    if (visit.errors.length > 0) console.error(visit.errors);
  }
