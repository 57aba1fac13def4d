import { defineConfig } from 'vitest/config';

/** The service from pages in a real browser: `.ci/full` starts it where there is one. */
export default defineConfig({
  test: {
    name: 'browser-service',
    root: import.meta.dirname,
    include: ['*.browser.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
});
