import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../../../../packages/web/test/browser/site.ts';
import { browserPath } from '../../../../packages/web/test/browser/tab.ts';
import { drawing } from '../../../../test/service/pictures.ts';
import { RunningService } from '../../../../test/service/running-service.ts';
import { isExplained, isReady } from './page.ts';

let service: RunningService;
let browser: Browser;
beforeAll(async () => {
  service = await RunningService.start();
  browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await service?.remove();
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly errors: readonly string[];
}

async function visit(path = '/', host = '127.0.0.1'): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  // The machine may have much else to do.
  page.setDefaultTimeout(120_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(service.ready.url.replace('127.0.0.1', host) + path);
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}

const handedOver = () => `/#key=${service.ready.api_key}`;
const isOnService = (page: Page) =>
  page.getByText('Computes on the service at').waitFor({ timeout: 120_000 });

/** Chooses a photo that the service has not seen, and asks for a map of it that takes a while. */
async function askForLongJob(page: Page, number: number): Promise<void> {
  const { png } = await drawing(number);
  await page.setInputFiles('input[accept^="image"]', {
    ...{ name: 'drawn.png', mimeType: 'image/png', buffer: Buffer.from(png) },
  });
  await isExplained(page, 'grad-cam');
  const occlusion = page.locator('[data-method="occlusion"]');
  await occlusion.getByRole('button', { name: 'Explain' }).click();
  await occlusion.getByRole('progressbar').waitFor();
}

test.each(['127.0.0.1', 'localhost'])(
  'A15: a whole job on the service at %s: the key in place, another photo and class, other colours, the command',
  async (host) => {
    await using visited = await visit('/', host);
    const { page, errors } = visited;
    await isReady(page);
    await page.getByLabel('On the service.').check();
    await page.getByLabel('API key').fill(service.ready.api_key);
    await page.getByLabel('API key').press('Enter');
    await isOnService(page);
    const { png, label } = await drawing(40 + host.length);
    await page.setInputFiles('input[accept^="image"]', {
      ...{ name: 'drawn.png', mimeType: 'image/png', buffer: Buffer.from(png) },
    });
    await expect.poll(() => page.locator('.said').textContent()).toContain(`The network says ${label}`);
    await isExplained(page, 'grad-cam');
    await page.locator('.bars button').nth(1).click();
    await isExplained(page, 'grad-cam');
    expect(await page.locator('.said').textContent()).toContain('The maps explain');
    await page.getByRole('combobox', { name: /^Colours/ }).selectOption('viridis');
    const tile = page.locator('[data-method="grad-cam"]');
    await tile.getByText('Take away').click();
    await tile.getByText('curl', { exact: true }).click();
    const command = await tile.locator('pre').first().textContent();
    expect(command).toContain('/v1/explanations');
    expect(command).not.toContain(service.ready.api_key);
    expect(await tile.locator('.facts').textContent()).toMatch(/ms|cache/);
    expect(errors).toEqual([]);
  },
);

test('the curl, Python and TypeScript of a result run, and write its picture', async () => {
  await using visited = await visit(handedOver());
  const { page } = visited;
  await isOnService(page);
  await isExplained(page, 'grad-cam');
  const tile = page.locator('[data-method="grad-cam"]');
  await tile.getByText('Take away').click();
  const texts = await tile.locator('pre').allTextContents();
  const [curl, python, typescript] = texts as [string, string, string];
  // Below the repository, where TypeScript finds the client.
  await mkdir(join(repository, '.vitest'), { recursive: true });
  const folder = await mkdtemp(join(repository, '.vitest/snippets-'));
  try {
    const env = { ...process.env, WHYLIGHT_API_KEY: service.ready.api_key };
    const run = (command: string, args: readonly string[]) =>
      execFileSync(command, args, { cwd: folder, env, encoding: 'utf8' });
    const { method, status } = JSON.parse(run('sh', ['-c', curl]));
    expect([method, status]).toEqual(['grad-cam', 'succeeded']);
    await writeFile(join(folder, 'snippet.mts'), typescript);
    for (const [command, args] of [
      ['python3', ['-c', python]],
      [process.execPath, ['snippet.mts']],
    ] as const) {
      await rm(join(folder, 'overlay.png'), { force: true });
      expect((await page.locator('.said strong').first().textContent())!).toBe(run(command, args).trim());
      expect((await readFile(join(folder, 'overlay.png'))).subarray(1, 4).toString()).toBe('PNG');
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the demo hands its key over by the fragment: it is used, and stands in no address', async () => {
  await using visited = await visit(handedOver());
  const { page, errors } = visited;
  await isOnService(page);
  await isExplained(page, 'grad-cam');
  expect(page.url()).toBe(`${service.ready.url}/`);
  expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain('wl_live');
  expect(errors).toEqual([]);
});

test('a gateway that is killed during a job comes back, and the job goes on', async () => {
  await using visited = await visit(handedOver());
  const { page } = visited;
  await isOnService(page);
  await page.getByLabel('Models of the service').selectOption('efficientnet-lite0');
  await askForLongJob(page, 71);
  for (const pid of await service.processes('gateway/run.ts')) process.kill(pid, 'SIGKILL');
  await expect
    .poll(() => page.locator('[data-method="occlusion"]').textContent(), { timeout: 60_000 })
    .toMatch(/Your job goes on/);
  await isExplained(page, 'occlusion');
}, 600_000);

test('a key that ends while it is used is asked for again, in place', async () => {
  const { client } = service;
  const key = await client.createKey({ name: 'short' });
  await using visited = await visit(`/#key=${key.secret}`);
  const { page } = visited;
  await isOnService(page);
  await isExplained(page, 'grad-cam');
  await client.revokeKey(key.id);
  await page.locator('[data-method="occlusion"]').getByRole('button', { name: 'Explain' }).click();
  await page.getByText('The service does not take this key.').waitFor();
  await page.getByLabel('API key').fill(service.ready.api_key);
  await page.getByRole('button', { name: 'Use it' }).click();
  await isOnService(page);
  await isExplained(page, 'grad-cam');
});

test('answers that come out of order show the last question', async () => {
  await using visited = await visit(handedOver());
  const { page } = visited;
  await isOnService(page);
  // The first answer is held back until the second one is shown.
  let held = 0;
  await page.route('**/v1/explanations', async (route) => {
    if (held++ === 0) await sleep(4000);
    await route.continue();
  });
  await page.locator('.bars button').nth(2).click();
  await page.locator('.bars button').nth(1).click();
  const name = await page.locator('.bars button').nth(1).locator('.name').textContent();
  await isExplained(page, 'grad-cam');
  await sleep(5000);
  expect(await page.locator('[data-method="grad-cam"] canvas').first().getAttribute('aria-label')).toContain(
    name!,
  );
});
