import { defineConfig } from 'vitest/config';
import { maxWorkers } from '../../vitest.workers.ts';

export default defineConfig({
  test: {
    name: 'core',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    // The engine keeps nothing between calls, so that files can share its modules: reading them anew for each takes longer
    // than most tests.
    isolate: false,
    maxWorkers,
  },
});
