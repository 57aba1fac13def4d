import { defineConfig } from 'vitest/config';
import { maxWorkers } from '../../vitest.workers.ts';

/** What runs without a browser; `test/browser` has the rest. */
export default defineConfig({
  test: {
    name: 'page',
    include: ['src/**/*.test.ts'],
    isolate: false,
    maxWorkers,
  },
});
