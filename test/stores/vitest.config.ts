import { defineConfig } from 'vitest/config';

/** The object store of `whylight serve`, and versitygw: `.ci/full` runs this where versitygw is or can be built. */
export default defineConfig({
  test: {
    name: 'stores',
    root: import.meta.dirname,
    include: ['*.stores.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    isolate: false,
    maxWorkers: 1,
  },
});
