import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy } from '@whylight/core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../../../packages/web/test/browser/site.ts';
import { type BuiltPage, buildPage, isExplained, isReady } from './page.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let built: BuiltPage;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-page-'));
  built = await buildPage();
});
afterAll(async () => {
  await built?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** What axe finds wrong, a line for each place. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

const said = (page: Page) => page.locator('.said').textContent();

describe('the first second', () => {
  test('has a recorded result without any script', async () => {
    await using visit = await built.visit({ javaScriptEnabled: false });
    const { page } = visit;
    expect(await said(page)).toMatch(/^The network says espresso 94\.\d %$/);
    expect(await page.locator('.tile img').count()).toBe(4);
    const widths = await page
      .locator('.tile img')
      .evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(widths).toEqual([400, 400, 400, 400]);
    expect(await page.locator('noscript').textContent()).toContain('recorded result');
  });

  test('takes few bytes until it is painted, and the script is small', async () => {
    const sizes = new Map<string, number>();
    await using visit = await built.visit({ javaScriptEnabled: false });
    const urls = visit.requests.filter((url) => !/photos\//.test(url));
    for (const url of urls) sizes.set(url, (await (await fetch(url)).arrayBuffer()).byteLength);
    const painted = [...sizes].filter(([url]) => !url.endsWith('.js'));
    expect(painted.length).toBeGreaterThan(5);
    expect(painted.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(150_000);
  });

  test('becomes live, in the same words, and asks nobody but its own server', async () => {
    await using visit = await built.visit();
    const { page, errors, requests } = visit;
    await isReady(page);
    await isExplained(page, 'grad-cam');
    expect(await said(page)).toMatch(/^The network says espresso 94\.\d %$/);
    expect(await page.locator('.engine').textContent()).toMatch(/Runs in this tab, on WebAssembly/);
    expect(errors).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(built.url) && !url.startsWith('blob:'))).toEqual([]);
  });

  test('works without a network after the first visit', async () => {
    await using visit = await built.visit();
    const { page } = visit;
    await isReady(page);
    // The service worker keeps the engine once it runs.
    // `waitForFunction` would take the promise itself for an answer.
    const isKept = () =>
      page.evaluate(async () => {
        for (const name of await caches.keys())
          for (const { url } of await (await caches.open(name)).keys())
            if (url.endsWith('.wasm')) return true;
        return false;
      });
    await expect.poll(isKept).toBe(true);
    await page.context().setOffline(true);
    await page.reload();
    await isReady(page);
    await isExplained(page, 'grad-cam');
    expect(await said(page)).toMatch(/espresso 94\.\d %/);
  });
});

describe('the workbench', () => {
  test('explains another photo, another class, and says what is not of the present question', async () => {
    await using visit = await built.visit();
    const { page, errors } = visit;
    await isReady(page);
    await isExplained(page, 'grad-cam');
    await page.setInputFiles('input[accept^="image"]', join(repository, 'apps/cli/photos/cat.jpg'));
    await page.waitForFunction(() => /tabby|cat|tiger/i.test(document.querySelector('.said')!.textContent!));
    await isExplained(page, 'grad-cam');
    await page.getByRole('searchbox', { name: 'Search all classes' }).fill('espresso');
    await page.getByRole('button', { name: /^Explain espresso (<|\d)/ }).click();
    expect(await said(page)).toContain('The maps explain espresso');
    await isExplained(page, 'grad-cam');
    // Occlusion costs hundreds of runs: it waits for the user.
    const occlusion = page.locator('[data-method="occlusion"]');
    expect(await occlusion.textContent()).toMatch(/784 runs of the network/);
    await occlusion.getByRole('button', { name: 'Explain' }).click();
    await occlusion.getByRole('progressbar').waitFor();
    await occlusion.getByRole('button', { name: 'Stop' }).click();
    await occlusion.getByRole('button', { name: 'Explain' }).waitFor();
    expect(errors).toEqual([]);
  });

  test('shrinks a large photo, and says so', async () => {
    await using visit = await built.visit();
    const { page } = visit;
    const large = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(3000, 2000);
      canvas.getContext('2d')!.fillRect(0, 0, 10, 10);
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      return Array.from(bytes);
    });
    await isReady(page);
    const buffer = Buffer.from(large);
    await page.setInputFiles('input[accept^="image"]', { name: 'large.png', mimeType: 'image/png', buffer });
    await page.getByText('The page made it smaller, from 3000 × 2000').waitFor();
    expect(await page.locator('.tile canvas').first().getAttribute('width')).toBe('1280');
  });

  test.each([
    ['notes.txt', 'text/plain', 'hello', /notes\.txt is not a photo/],
    ['broken.jpg', 'image/jpeg', '\xff\xd8\xff broken', /cannot read broken\.jpg/],
    ['empty.png', 'image/png', '', /cannot read empty\.png/],
    ['phone.heic', 'image/heic', 'ftypheic', /cannot read HEIC \(phone\.heic\)/],
  ])('refuses %s in words, and keeps the photo', async (name, mimeType, content, message) => {
    await using visit = await built.visit();
    const { page } = visit;
    await page.waitForSelector('.tile canvas');
    await page.setInputFiles('input[accept^="image"]', {
      ...{ name, mimeType, buffer: Buffer.from(content, 'latin1') },
    });
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(message);
    expect(await page.locator('.tile canvas').first().getAttribute('aria-label')).toContain('coffee.jpg');
  });

  test('opens a dropped folder with a model, and explains it in its own names', async () => {
    await using visit = await built.visit();
    const { page, errors } = visit;
    const dropped = join(folder, 'mine');
    await mkdir(dropped, { recursive: true });
    await writeFile(
      join(dropped, 'mine.onnx'),
      await readFile(join(repository, 'models/shapes/shapes.onnx')),
    );
    await writeFile(
      join(dropped, 'labels.txt'),
      'circle\nsquare\ntriangle\nstar\ncross\nring\nheart\ncrescent\nhexagon\narrow',
    );
    await writeFile(join(dropped, 'preprocessor_config.json'), '{"image_mean": 0.5, "image_std": 0.5}');
    await isReady(page);
    const client = await page.context().newCDPSession(page);
    const data = { items: [], files: [dropped], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await client.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
    await expect.poll(() => page.locator('.model-name').textContent()).toBe('mine');
    await isExplained(page, 'grad-cam');
    expect(await said(page)).toMatch(/circle|square|triangle|star|cross|ring|heart|crescent|hexagon|arrow/);
    expect(await page.locator('.controls').textContent()).toMatch(
      /10 classes\. \d+ of \d+ methods work on it/,
    );
    await page.getByText('How photos become its input').click();
    expect(await page.locator('.controls dl').textContent()).toMatch(/0\.5 from preprocessor_config\.json/);
    expect(errors).toEqual([]);
  });

  test('refuses a file that is no model, and keeps the model', async () => {
    await using visit = await built.visit();
    const { page } = visit;
    await isReady(page);
    await page.setInputFiles('input[accept^=".onnx"]', {
      ...{ name: 'photo.onnx', mimeType: '', buffer: Buffer.from('not a model') },
    });
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/photo/);
    expect(await page.locator('.model-name').textContent()).toBe('efficientnet-lite0');
  });

  test('adds a method from the dialog, by keyboard', async () => {
    await using visit = await built.visit();
    const { page } = visit;
    await isReady(page);
    await page.getByRole('button', { name: 'More methods' }).press('Enter');
    await page.getByRole('searchbox', { name: 'Search methods' }).fill('eigen-cam');
    await page.getByRole('button', { name: 'Show Eigen-CAM', exact: true }).press('Enter');
    await page.keyboard.press('Escape');
    await isExplained(page, 'eigen-cam');
  });

  test('reads the value of one point on every map, by keyboard', async () => {
    await using visit = await built.visit();
    const { page } = visit;
    await isReady(page);
    await isExplained(page, 'integrated-gradients');
    const point = page.getByRole('button', { name: 'Grad-CAM: read values by the arrow keys' });
    await point.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    for (const method of ['grad-cam', 'integrated-gradients'])
      expect(await page.locator(`[data-method="${method}"] summary`).first().textContent()).toMatch(
        /^Here: -?\d/,
      );
    await page.keyboard.press('Escape');
    expect(await page.locator('[data-method="grad-cam"] summary').first().textContent()).not.toMatch(/Here/);
  });

  test('reaches Explain within ten Tab presses', async () => {
    await using visit = await built.visit();
    const { page } = visit;
    await isReady(page);
    const names: (string | null)[] = [];
    for (let i = 0; i < 10 && names.at(-1) !== 'Explain'; i++) {
      await page.keyboard.press('Tab');
      names.push(await page.evaluate(() => document.activeElement?.textContent ?? null));
    }
    expect(names).toContain('Explain');
  });
});

test('a map is tested by deletion and insertion beside chance, and compared with the others', async () => {
  await using visit = await built.visit();
  const { page, errors } = visit;
  await isReady(page);
  await isExplained(page, 'integrated-gradients');
  const tile = page.locator('[data-method="grad-cam"]');
  await tile.getByText('Is it any good?').click();
  await tile.getByRole('button', { name: /^Test it/ }).click();
  await tile.locator('.curve').nth(1).waitFor({ timeout: 120_000 });
  const text = await tile.locator('.quality').textContent();
  expect(text).toMatch(/From 9\d %: without the fifth that the map values most it is \d+ %/);
  expect(text).toContain('This does not prove that the map is right');
  expect(text).toMatch(/Agreement with the other maps.*Integrated gradients -?[01]\.\d\d/s);
  const gradients = page.locator('[data-method="integrated-gradients"]');
  await gradients.getByText('Is it any good?').click();
  expect(await gradients.locator('.quality').textContent()).toContain('The values add up to the score');
  expect(await faultsOf(page)).toEqual([]);
  expect(errors).toEqual([]);
});

test('a result is taken away as picture, numbers, text and a network that explains', async () => {
  await using visit = await built.visit();
  const { page } = visit;
  await isReady(page);
  await isExplained(page, 'grad-cam');
  const tile = page.locator('[data-method="grad-cam"]');
  await tile.getByText('Take away').click();
  const take = async (name: string): Promise<{ readonly name: string; readonly bytes: Buffer }> => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      tile.getByRole('button', { name, exact: true }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  };
  const png = await take('Picture (PNG)');
  expect([png.name, png.bytes.subarray(1, 4).toString()]).toEqual(['coffee-grad-cam.png', 'PNG']);
  const { shape, data } = readNpy((await take('Numbers (.npy)')).bytes);
  expect([...shape].slice(-2).every((side) => side > 1)).toBe(true);
  const json = JSON.parse((await take('Result (JSON)')).bytes.toString());
  expect(json).toMatchObject({ method: 'grad-cam', target: { class_index: 967, label: 'espresso' } });
  expect(json.attribution.maximum).toBe(Math.max(...(data as Float32Array)));
  const onnx = await take('Explainer (.onnx)');
  expect(onnx.name).toBe('coffee-grad-cam.onnx');
  const { InferenceSession } = await import('onnxruntime-node');
  const session = await InferenceSession.create(onnx.bytes);
  expect([session.inputNames, session.outputNames]).toEqual([
    ['image', 'class_index'],
    expect.arrayContaining(['attribution']),
  ]);
});

test('a browser that asks for Chinese gets Chinese, and a choice is remembered', async () => {
  await using visit = await built.visit({ locale: 'zh-CN' });
  const { page } = visit;
  await isReady(page);
  expect(await said(page)).toMatch(/网络的判断：\s*浓缩咖啡 94\.\d %/);
  expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  await page.getByRole('button', { name: 'English' }).click();
  await expect.poll(() => said(page)).toMatch(/The network says espresso/);
  await page.reload();
  await expect.poll(() => said(page)).toMatch(/The network says espresso/);
});

describe('axe finds nothing wrong', () => {
  test.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)('in %s, %i wide: recorded, live, in the dialog', async (colorScheme, width) => {
    await using visit = await built.visit({ colorScheme, viewport: { width, height: 900 } });
    const { page } = visit;
    expect(await faultsOf(page)).toEqual([]);
    await isReady(page);
    await isExplained(page, 'grad-cam');
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'More methods' }).click();
    expect(await faultsOf(page)).toEqual([]);
  });
});

test('nothing is wider than a screen of 390 pixels', async () => {
  await using visit = await built.visit({ viewport: { width: 390, height: 844 } });
  const { page } = visit;
  await isReady(page);
  await isExplained(page, 'integrated-gradients');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
});
