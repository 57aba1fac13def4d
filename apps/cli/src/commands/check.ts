import { classifierOf, prepare } from '@whylight/host';
import { Command } from 'commander';
import { findModel, inspected } from '../model.ts';
import { printReport } from '../model-report.ts';
import { modelArgument, type ReadingOptions, withJson, withReadingOptions } from '../options.ts';
import { printJson } from '../output.ts';
import { askedBy, type PreprocessingOptions, withPreprocessingOptions } from '../preprocessing-options.ts';

interface Options extends ReadingOptions, PreprocessingOptions {
  readonly json?: boolean;
}

export const check = withJson(
  withReadingOptions(
    withPreprocessingOptions(
      new Command('check')
        .description('Say whether a model can be explained, and how')
        .addArgument(modelArgument()),
    ),
  ),
).action(async (wanted: string, { json, ...options }: Options) => {
  const model = await findModel(wanted, await askedBy(options));
  const report = await inspected(model);
  const { report: preprocessing, warnings } = prepare(model, await classifierOf(model));
  if (json) printJson({ name: model.name, digest: model.digest, ...report, preprocessing, warnings });
  else printReport(model.name, report, { preprocessing, warnings });
});
