import { defineConfig } from 'vitest/config';

/** What runs in a real browser: `.ci/full` starts it where there is one. */
export default defineConfig({
  test: {
    name: 'page in a browser',
    root: import.meta.dirname,
    include: ['*.browser.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
    // The engine computes in the same machine's processors.
    expect: { poll: { timeout: 120_000 } },
  },
});
