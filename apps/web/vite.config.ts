import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { firstPage } from './build/first-page.ts';
import { servedFiles } from './build/served-files.ts';
import { serviceWorker } from './build/service-worker.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Every address is relative, so that the page runs in any folder of any static host. */
export default defineConfig(({ command }) => {
  // A build is for users, also where a test starts it: Vite would take the NODE_ENV of the test for a wish, and leave out what only
  // users get, such as the service worker.
  if (command === 'build') process.env.NODE_ENV = 'production';
  return {
    root: here('.'),
    base: './',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    worker: { format: 'es' },
    plugins: [firstPage(), servedFiles(), serviceWorker()],
    build: {
      outDir: here('dist'),
      emptyOutDir: true,
      target: 'es2024',
      chunkSizeWarningLimit: 10_000,
      assetsInlineLimit: 0,
      rolldownOptions: { input: { en: here('index.html'), zh: here('zh.html') } },
    },
  };
});
