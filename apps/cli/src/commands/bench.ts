import type { Runtime } from '@whylight/core';
import { methods, resolveQuestion } from '@whylight/core/methods';
import { classifierOf, createRuntime, defaultModel } from '@whylight/host';
import { Command } from 'commander';
import { type Measurement, measure, type Settings, type Subject } from '../bench/measure.ts';
import { type FailureReport, failureOf, UsageError } from '../failure.ts';
import { findModel, normalisationOf } from '../model.ts';
import {
  collected,
  type DeviceOptions,
  methodList,
  type Parameters,
  parameter,
  positive,
  withDeviceOptions,
  withJson,
} from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { parametersFor } from '../parameters.ts';
import { Progress } from '../progress.ts';

interface Options extends DeviceOptions {
  readonly model?: string[];
  readonly method?: string[];
  readonly batch?: number;
  readonly runs: number;
  readonly param?: Parameters;
  readonly plain?: boolean;
  readonly json?: boolean;
}

interface Failed {
  readonly model: string;
  readonly method: string;
  readonly error: Pick<FailureReport, 'code' | 'message'>;
}

export const bench = withJson(
  withDeviceOptions(
    new Command('bench')
      .description("Measure how long methods take, compared with the model's own forward pass")
      .option(
        '--model <name|path>',
        `classifier to measure, repeatable (default: ${defaultModel})`,
        collected,
      )
      .option('--method <id>', 'methods to measure, separated by commas (default: every method)', methodList)
      .option(
        '--batch <n>',
        'number of images in one run (default: 1, or the batch size that the file fixes)',
        positive,
      )
      .option('--runs <n>', 'number of measured runs', positive, 7)
      .option('--param <k=v>', 'parameter, for those methods that have it, repeatable', parameter)
      .option('--plain', 'compute every row in full, without incremental inference'),
  ),
).action(async (options: Options) => {
  const { model = [defaultModel], method = methods.map(({ id }) => id), json } = options;
  for (const id of method) resolveQuestion({ method: id });
  const subjects: Subject[] = [];
  for (const wanted of model) subjects.push(await subjectOf(wanted));
  const runtime = await createRuntime(options);
  const progress = new Progress('bench');
  const rows: (Measurement | Failed)[] = [];
  if (!json) print(line(['model', 'method', 'median', 'forward', 'ratio', 'CPU ratio', 'session']));
  for (const subject of subjects) {
    const batch = batchFor(subject, options.batch);
    for (const id of method) {
      progress.update(rows.length, model.length * method.length);
      const parameters = parametersFor(id, method, options.param ?? {});
      const settings = { batch, runs: options.runs, incremental: !options.plain };
      const row = await measured(subject, { method: id, parameters }, settings, runtime);
      rows.push(row);
      if (json) continue;
      progress.stop();
      print(line('error' in row ? [row.model, row.method, row.error.message] : cells(row)));
    }
  }
  progress.stop();
  if (json) printJson({ device: runtime.device, rows });
  // Methods requested by name must work; if all are run, some may need parts that a model lacks.
  const failed = rows.filter((row) => 'error' in row).length;
  if (failed === 0 || !options.method) return;
  note(`whylight: ${failed} of ${rows.length} could not be measured`);
  process.exitCode = 2;
});

async function subjectOf(wanted: string): Promise<Subject> {
  const model = await findModel(wanted);
  const bytes = await model.bytes();
  const classifier = await classifierOf(model);
  return { name: model.name, bytes, classifier, normalisation: normalisationOf(model, classifier) };
}

function batchFor({ name, classifier }: Subject, asked: number | undefined): number {
  if (asked !== undefined && classifier.batch !== undefined && asked !== classifier.batch)
    throw new UsageError(`--batch: model ${name} takes batches of ${classifier.batch} only, got ${asked}`);
  return asked ?? classifier.batch ?? 1;
}

async function measured(
  subject: Subject,
  asked: { readonly method: string; readonly parameters: Readonly<Record<string, unknown>> },
  settings: Settings,
  runtime: Runtime,
): Promise<Measurement | Failed> {
  try {
    return await measure(subject, resolveQuestion(asked), settings, runtime);
  } catch (error) {
    const { code, message } = failureOf(error);
    return { model: subject.name, method: asked.method, error: { code, message } };
  }
}

const cells = (row: Measurement): string[] => [
  row.model,
  row.method,
  `${row.median_ms.toFixed(1)} ms`,
  `${row.forward_ms.toFixed(1)} ms`,
  `${row.ratio.toFixed(2)} x`,
  `${row.cpu_ratio.toFixed(2)} x`,
  `${row.session_ratio.toFixed(2)} x`,
];

/** Rows come one by one, as they are measured: columns have fixed widths. */
const line = ([model = '', method = '', ...rest]: readonly string[]): string =>
  [
    model.padEnd(22),
    method.padEnd(28),
    ...(rest.length === 1 ? rest : rest.map((cell) => cell.padStart(11))),
  ].join(' ');
