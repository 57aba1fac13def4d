import { join } from 'node:path';
import { InputError } from '@whylight/core';
import { methods, resolveQuestion } from '@whylight/core/methods';
import { createRuntime, defaultModel, type RegisteredModel, readingOf } from '@whylight/host';
import { Command, InvalidArgumentError } from 'commander';
import { blob, noiseMap } from '../evaluate/baselines.ts';
import { baseline, explanations, type Network, openNetwork, predicted } from '../evaluate/explanations.ts';
import { type Explained, type MetricId, metricIds, metrics } from '../evaluate/metrics.ts';
import { mosaics } from '../evaluate/mosaics.ts';
import { objectsIn } from '../evaluate/objects.ts';
import { chart, csv, markdown, plainNumber, type Report, type Row } from '../evaluate/report.ts';
import { drawings, photosIn, type Subject } from '../evaluate/subjects.ts';
import { UsageError } from '../failure.ts';
import { writeBytes } from '../files.ts';
import { findModel, normalisationOf, preprocessingOf } from '../model.ts';
import {
  type DeviceOptions,
  type ExplainOptions,
  methodList,
  positive,
  type ReadingOptions,
  withDeviceOptions,
  withExplainOptions,
  withJson,
  withReadingOptions,
} from '../options.ts';
import { note, print, printJson, table } from '../output.ts';
import { parametersFor, splitNormalisation } from '../parameters.ts';
import { askedBy, type PreprocessingOptions, withPreprocessingOptions } from '../preprocessing-options.ts';
import { Progress } from '../progress.ts';
import { layersFor } from '../questions.ts';
import { classScore } from '../scores.ts';

interface Options extends ExplainOptions, DeviceOptions, ReadingOptions, PreprocessingOptions {
  readonly model?: string;
  readonly method?: string[];
  readonly metric?: MetricId[];
  readonly masks?: string;
  readonly objects?: string;
  readonly mosaics?: number;
  readonly drawings?: number;
  readonly target?: number;
  readonly output: string;
  readonly json?: boolean;
}

const unmasked: readonly MetricId[] = ['deletion', 'insertion', 'average-drop', 'increase', 'time'];
const masked: readonly MetricId[] = ['pointing', 'mass', 'deletion', 'insertion', 'time'];

export const evaluate = withJson(
  withDeviceOptions(
    withReadingOptions(
      withPreprocessingOptions(
        withExplainOptions(
          new Command('evaluate')
            .description(
              'Measure how good explanations are: write table.csv, table.json, table.md and chart.png',
            )
            .argument('[dir]', 'folder of photos')
            .option(
              '--drawings <n>',
              'evaluate on n new drawings of shapes with masks, in place of a folder',
              positive,
            )
            .option(
              '--model <name|path>',
              `classifier to explain (default: ${defaultModel}; with --drawings: shapes)`,
            )
            .option(
              '--method <id,id>',
              'methods to compare (default: grad-cam); all: every method that works on the model',
              methodList,
            )
            .option('--metric <id,id>', `metrics to measure: ${metricIds.join(', ')}`, metricList)
            .option('--masks <dir>', 'folder of masks named like the photos, white where the object lies')
            .option(
              '--objects <file>',
              'JSON file that lists the objects on each photo, with classes and polygons',
            )
            .option(
              '--mosaics <n>',
              'make n mosaics of four photos each, and explain each for its four classes',
              positive,
            )
            .option(
              '--target <index>',
              'class to explain in all photos (default: the predicted one)',
              classIndex,
            )
            .requiredOption('-o, --output <dir>', 'folder for the tables and the chart'),
        ),
      ),
    ),
  ),
)
  .addHelpText(
    'after',
    '\nThe table also has two baselines that do not look at the photo: noise, and a blob in the centre.',
  )
  .action(async (directory: string | undefined, options: Options) => {
    for (const method of idsOf(options)) resolveQuestion({ method });
    checkSource(directory, options);
    const report = await evaluated(directory, options);
    if (report.confidence !== 'probability') note(plainNumber);
    if (report.rows.every((row) => row.baseline)) throw new UsageError(report.left_out[0]!.reason);
    const files = {
      'table.csv': Buffer.from(csv(report)),
      'table.json': Buffer.from(`${JSON.stringify(report, null, 2)}\n`),
      'table.md': Buffer.from(markdown(report)),
      'chart.png': await chart(report),
    };
    for (const [name, bytes] of Object.entries(files)) await writeBytes(join(options.output, name), bytes);
    if (options.json) printJson(report);
    else
      print(
        table(
          csv(report)
            .trim()
            .split('\n')
            .map((line) => line.split(',')),
        ),
      );
  });

const isAll = ({ method }: Options): boolean => method?.join() === 'all';

const idsOf = (options: Options): readonly string[] =>
  isAll(options) ? methods.map(({ id }) => id) : (options.method ?? ['grad-cam']);

/** @throws UsageError unless it is clear what is evaluated, and where the objects are */
function checkSource(directory: string | undefined, options: Options): void {
  if ((directory === undefined) === (options.drawings === undefined))
    throw new UsageError('expected either a folder of photos or --drawings');
  const objects = (['drawings', 'masks', 'objects', 'mosaics'] as const).filter((name) => options[name]);
  if (objects.length > 1)
    throw new UsageError(
      `--${objects.join(' and --')}: each states where the objects are; give only one of them`,
    );
  const [own] = objects.filter((name) => name !== 'masks');
  if (own && options.target !== undefined)
    throw new UsageError(`--target: not allowed with --${own}, which states the classes`);
}

async function evaluated(directory: string | undefined, options: Options): Promise<Report> {
  const model = await findModel(
    options.model ?? (options.drawings ? 'shapes' : defaultModel),
    await askedBy(options),
  );
  const preprocessing = await preprocessingOf(model);
  const { drawings: count, masks, objects } = options;
  const given = count
    ? drawings(count, preprocessing)
    : objects
      ? await objectsIn(directory!, objects, preprocessing)
      : await photosIn(directory!, masks, preprocessing, options.target ?? -1);
  const hasMasks = Boolean(count || masks || objects || options.mosaics);
  const wanted = options.metric ?? (hasMasks ? masked : unmasked);
  const blind = hasMasks ? undefined : wanted.find((id) => id === 'pointing' || id === 'mass');
  if (blind)
    throw new UsageError(
      `metric ${blind} needs to know where the object is; give --masks, --objects, --mosaics or --drawings`,
    );
  const runtime = await createRuntime(options);
  const network = await openNetwork(
    await model.bytes(),
    readingOf(model, sidesOfInput(given[0]!.input.shape, preprocessing.layout)),
    runtime,
  );
  try {
    const classOf = (input: Subject['input']) => predicted(network, { input });
    const subjects = options.mosaics
      ? await mosaics(directory!, options.mosaics, preprocessing, classOf)
      : await Promise.all(
          given.map(async (subject) =>
            subject.among ? { ...subject, target: await predicted(network, subject) } : subject,
          ),
        );
    const { rows, left_out } = await methodRows(network, model, subjects, wanted, options);
    return {
      model: model.name,
      images: subjects.length,
      confidence: network.classifier.head.kind === 'number' ? 'between_blank_and_photo' : 'probability',
      metrics: wanted,
      rows: [...rows, ...(await baselineRows(network, subjects, wanted))],
      left_out,
    };
  } finally {
    await network.forward.close();
  }
}

const sidesOfInput = (shape: readonly number[], layout: 'NCHW' | 'NHWC'): [number, number] =>
  layout === 'NCHW' ? [shape[2]!, shape[3]!] : [shape[1]!, shape[2]!];

async function methodRows(
  network: Network,
  model: RegisteredModel,
  subjects: readonly Subject[],
  wanted: readonly MetricId[],
  options: Options,
): Promise<Pick<Report, 'rows' | 'left_out'>> {
  const { layer, param = {}, convention } = options;
  const score = classScore(options.score, 'evaluate');
  const ids = idsOf(options);
  const rows: Row[] = [];
  const left_out: { method: string; reason: string }[] = [];
  for (const id of ids) {
    const { parameters, normalisation } = splitNormalisation(
      id,
      parametersFor(id, ids, param),
      normalisationOf(model, network.classifier),
    );
    const progress = new Progress(id);
    const tally = new Tally(wanted);
    try {
      const layers = layersFor(id, ids, layer);
      const question = resolveQuestion({ method: id, convention, score, parameters, layers });
      const spec = { ...question, normalisation };
      let done = 0;
      for await (const explained of explanations(network, spec, subjects, wanted.includes('randomisation'))) {
        await tally.add(explained);
        progress.update(++done, subjects.length);
      }
      rows.push({ method: id, baseline: false, values: tally.means() });
    } catch (error) {
      if (!isAll(options) || !(error instanceof InputError)) throw error;
      note(`${id} is left out: ${error.message}`);
      left_out.push({ method: id, reason: error.message });
    } finally {
      progress.stop();
    }
  }
  return { rows, left_out };
}

async function baselineRows(
  network: Network,
  subjects: readonly Subject[],
  wanted: readonly MetricId[],
): Promise<Row[]> {
  const { width, height } = network;
  const maps = { random: (n: number) => noiseMap(width, height, n), centre: () => blob(width, height) };
  const rows: Row[] = [];
  for (const [name, map] of Object.entries(maps)) {
    const tally = new Tally(wanted);
    for (const [n, subject] of subjects.entries()) await tally.add(await baseline(network, subject, map(n)));
    rows.push({ method: name, baseline: true, values: tally.means() });
  }
  return rows;
}

/** Means of metrics over images, each over those that it applies to. */
class Tally {
  readonly #values = new Map<MetricId, number[]>();

  constructor(wanted: readonly MetricId[]) {
    for (const id of wanted) this.#values.set(id, []);
  }

  async add(explained: Explained): Promise<void> {
    for (const [id, values] of this.#values) {
      const value = await metrics[id].of(explained);
      if (value !== null && Number.isFinite(value)) values.push(value);
    }
  }

  means(): Row['values'] {
    return Object.fromEntries(
      Array.from(this.#values, ([id, values]) => [
        id,
        values.length ? values.reduce((a, b) => a + b, 0) / values.length : null,
      ]),
    );
  }
}

function metricList(text: string): MetricId[] {
  return text.split(',').map((part) => {
    const id = part.trim() as MetricId;
    if (!metricIds.includes(id)) throw new InvalidArgumentError(`Expected some of ${metricIds.join(', ')}.`);
    return id;
  });
}

function classIndex(text: string): number {
  if (text === 'predicted') return -1;
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a class index, or predicted.');
  return Number(text);
}
