import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Drawing from '@whylight/core/drawing';
import { chromium, type Page } from 'playwright-core';
import type * as Web from '../../src/index.ts';
import { bundle, serve } from './site.ts';

/** Debian's; WHYLIGHT_CHROMIUM names another. */
export const browserPath = process.env.WHYLIGHT_CHROMIUM ?? '/usr/bin/chromium';

/** What `main.ts` puts into the page. */
declare global {
  var web: typeof Web;
  var drawing: typeof Drawing;
  var base64Of: (numbers: Uint8Array | Uint8ClampedArray | Float32Array) => string;
  /** A canvas that the page explains. */
  var canvas: HTMLCanvasElement;
  var explainer: Web.WebExplainer;
  var model: Web.OpenedModel;
}

export interface Tab extends AsyncDisposable {
  readonly page: Page;
  readonly version: string;
  /** Where the page is; below `files/` it has the repository. */
  readonly url: string;
  /** What the page has fetched, and errors that nobody has caught. */
  readonly requests: readonly string[];
  readonly errors: readonly string[];
}

export interface TabOptions {
  /** The page: a folder with an `index.html`. */
  readonly root?: string;
  /** Whether the page may have threads. */
  readonly isolated?: boolean;
  /** Whether the browser offers WebGPU, in software where there is no GPU. */
  readonly webgpu?: boolean;
}

/** A browser with one tab that shows the page. */
export async function openTab({ root, isolated = false, webgpu = false }: TabOptions = {}): Promise<Tab> {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-web-'));
  await bundle(root ?? join(import.meta.dirname, 'page'), folder);
  const site = await serve(folder, { isolated });
  const gpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
  const browser = await chromium.launch({
    executablePath: browserPath,
    // In a container Chromium cannot start its sandbox as root; the pages are ours.
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      ...(webgpu ? gpu : []),
    ],
  });
  const page = await browser.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(site.url);
  return {
    ...{ page, requests, errors, url: site.url, version: browser.version() },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await site[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
