import { checkModel, createRuntime, defaultBudget, named } from '@whylight/host';
import { Command } from 'commander';
import { findModel } from '../model.ts';
import { printReport } from '../model-report.ts';
import {
  type DeviceOptions,
  modelArgument,
  type ReadingOptions,
  seconds,
  withDeviceOptions,
  withJson,
  withReadingOptions,
} from '../options.ts';
import { printJson } from '../output.ts';
import { askedBy, type PreprocessingOptions, withPreprocessingOptions } from '../preprocessing-options.ts';
import { Progress } from '../progress.ts';

interface Options extends ReadingOptions, PreprocessingOptions, DeviceOptions {
  readonly budget: number;
  readonly json?: boolean;
}

export const check = withJson(
  withDeviceOptions(
    withReadingOptions(
      withPreprocessingOptions(
        new Command('check')
          .description('Check whether a model can be explained: run each method on it, and report which work')
          .addArgument(modelArgument())
          .option(
            '--budget <seconds>',
            'time limit for running the methods; 0 runs no method',
            seconds,
            defaultBudget,
          ),
      ),
    ),
  ),
).action(async (wanted: string, options: Options) => {
  const model = await findModel(wanted, await askedBy(options));
  const progress = new Progress('check');
  const runtime = await createRuntime(options);
  const { report } = await checkModel(model, runtime, {
    budget: options.budget,
    onMethod: (_, done, total) => progress.update(done, total),
  })
    .catch((error: unknown) =>
      named(model, () => {
        throw error;
      }),
    )
    .finally(() => progress.stop());
  if (options.json) printJson({ name: model.name, digest: model.digest, ...report });
  else printReport(model.name, report);
});
