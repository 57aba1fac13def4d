import { checkModel, createRuntime, defaultBudget, named } from '@whylight/host';
import { Command, Option } from 'commander';
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
import { onlyPredicted, type RegionOptions, withRegionOptions } from '../regions.ts';
import { type Score, scoreOption } from '../scores.ts';

interface Options extends ReadingOptions, PreprocessingOptions, DeviceOptions, RegionOptions {
  readonly score?: Score;
  readonly budget: number;
  readonly json?: boolean;
}

export const check = withJson(
  withDeviceOptions(
    withReadingOptions(
      withPreprocessingOptions(
        withRegionOptions(new Command('check'))
          .description('Check whether a model can be explained: run each method on it, and report which work')
          .addArgument(modelArgument())
          .addOption(
            new Option(
              '--score <score>',
              'check for this number in place of the classes, such as output:NAME[INDEX].sum',
            ).argParser(scoreOption),
          )
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
  onlyPredicted(options, 'check');
  const model = await findModel(wanted, await askedBy(options));
  const progress = new Progress('check');
  const runtime = await createRuntime(options);
  const { report, classifier } = await checkModel(model, runtime, {
    budget: options.budget,
    anyScore: true,
    onMethod: (_, done, total) => progress.update(done, total),
  })
    .catch((error: unknown) =>
      named(model, () => {
        throw error;
      }),
    )
    .finally(() => progress.stop());
  // What scores no classes decides nothing: there what it gives is its task.
  const task = classifier.score ? report.seen.purpose : report.task;
  if (options.json) printJson({ name: model.name, digest: model.digest, ...report, task });
  else printReport(model.name, { ...report, task });
});
