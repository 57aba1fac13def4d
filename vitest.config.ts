import { defineConfig } from 'vitest/config';

/** One project per workspace; the edge's runs inside workerd, everything else in Node. */
export default defineConfig({
  test: {
    projects: ['packages/*/vitest.config.ts', 'apps/*/vitest.config.ts', 'test/vitest.config.ts'],
    reporters: ['default'],
  },
});
