import { defineConfig } from 'vitest/config';
import { maxWorkers } from '../../vitest.workers.ts';

/** What runs without a browser; `test/browser` has the rest. */
export default defineConfig({
  test: {
    name: 'web',
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    isolate: false,
    maxWorkers,
  },
});
