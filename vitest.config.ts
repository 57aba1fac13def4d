import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the results as JSON, from which it counts them. */
const report = process.env.WHYLIGHT_TEST_REPORT;

/** One project per workspace; the edge's runs inside workerd, everything else in Node. */
export default defineConfig({
  test: {
    projects: ['{packages,apps}/*/vitest.config.ts', '{infra,models,test}/vitest.config.ts'],
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
