import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { browserPath } from '../../../../packages/web/test/browser/tab.ts';

const configFile = fileURLToPath(new URL('../../vite.config.ts', import.meta.url));

export interface BuiltPage extends AsyncDisposable {
  readonly url: string;
  readonly browser: Browser;
  /** A new visitor: nothing kept, nothing remembered. */
  visit(options?: BrowserContextOptions & { readonly path?: string }): Promise<Visit>;
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors that nobody has caught, and what the console calls an error. */
  readonly errors: readonly string[];
  readonly requests: readonly string[];
}

/** Builds the page as it is deployed, serves the files, and starts a browser. */
export async function buildPage(): Promise<BuiltPage> {
  await build({ configFile, logLevel: 'error' });
  const server: PreviewServer = await preview({
    configFile,
    logLevel: 'error',
    preview: { port: 0, host: '127.0.0.1' },
  });
  const url = server.resolvedUrls!.local[0]!;
  // In a container Chromium cannot start its sandbox as root; the page is ours.
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  return {
    url,
    browser,
    async visit({ path = '', ...options } = {}) {
      const context = await browser.newContext({ locale: 'en-GB', ...options });
      const page = await context.newPage();
      // The machine may have much else to do.
      page.setDefaultTimeout(120_000);
      const errors: string[] = [];
      const requests: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(url + path);
      return { page, errors, requests, [Symbol.asyncDispose]: () => context.close() };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
    },
  };
}

/** Waits until the engine is there. */
export const isReady = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => document.querySelector('.actions .main:enabled'), undefined, {
    timeout: 500_000,
  });
/** Waits until a method's map of the present question is there. */
export const isExplained = (page: Page, method: string): Promise<unknown> =>
  page.waitForSelector(`[data-method="${method}"]:not(.stale) canvas`, { timeout: 500_000 });
