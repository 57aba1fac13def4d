import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Where .ci/run wants the results as JSON, from which it counts them. */
const report = process.env.WHYLIGHT_TEST_REPORT;

/** Tests of whole services first: some wait for a minute, in which those of the engine have the processor. */
class ServicesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isOfServices = ({ project }: TestSpecification) => project.name === 'system';
    return [...sorted.filter(isOfServices), ...sorted.filter((file) => !isOfServices(file))];
  }
}
const isOrderAsked = process.argv.some((argument) => argument.startsWith('--sequence'));

/** One project per workspace; the edge's runs inside workerd, everything else in Node. */
export default defineConfig({
  test: {
    projects: ['{packages,apps}/*/vitest.config.ts', '{infra,models,test}/vitest.config.ts'],
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    ...(isOrderAsked ? {} : { sequence: { sequencer: ServicesFirst } }),
  },
});
