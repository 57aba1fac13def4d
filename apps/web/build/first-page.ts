import { createServer, type Plugin } from 'vite';
import type * as First from './first-html.tsx';

/**
 * Writes the first page into the HTML, in both languages: with the recorded result, which stands there before any script
 * has run, and stays where none runs.
 */
export function firstPage(): Plugin {
  return {
    name: 'whylight:first-page',
    transformIndexHtml: {
      // Before Vite looks for addresses, so that those of the recorded pictures get the names of the build.
      order: 'pre',
      async handler(html, { filename }) {
        const language = filename.endsWith('zh.html') ? 'zh' : 'en';
        const { title, description, page } = await drawn(language);
        return html
          .replace('<!--title-->', () => title)
          .replace('<!--description-->', () => description)
          .replace('<!--page-->', () => page);
      },
    },
  };
}

/** Runs the page's own components, which are TypeScript with JSX, through a Vite that serves nothing. */
async function drawn(language: 'en' | 'zh'): Promise<ReturnType<typeof First.firstHtml>> {
  const server = await createServer({
    configFile: false,
    root: new URL('..', import.meta.url).pathname,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    appType: 'custom',
    logLevel: 'error',
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { firstHtml } = (await server.ssrLoadModule('/build/first-html.tsx')) as typeof First;
    return firstHtml(language);
  } finally {
    await server.close();
  }
}
