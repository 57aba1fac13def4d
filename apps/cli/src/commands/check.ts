import { Command } from 'commander';
import { findModel, inspected, readingWith } from '../model.ts';
import { printReport } from '../model-report.ts';
import { modelArgument, type ReadingOptions, withJson, withReadingOptions } from '../options.ts';
import { printJson } from '../output.ts';

export const check = withJson(
  withReadingOptions(
    new Command('check')
      .description('Say whether a model can be explained, and how')
      .addArgument(modelArgument()),
  ),
).action(async (wanted: string, { json, ...reading }: ReadingOptions & { json?: boolean }) => {
  const model = await findModel(wanted);
  const report = await inspected(model, await readingWith(model, reading));
  if (json) printJson({ name: model.name, digest: model.digest, ...report });
  else printReport(model.name, report);
});
