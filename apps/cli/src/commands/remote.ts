import { basename, join } from 'node:path';
import { ExplanationError, successOf, TimeoutError, type WhylightClient } from '@whylight/client';
import {
  artifactNames,
  type Explanation,
  type ExplanationRequest,
  type Language,
  type Prediction,
  type TargetSpec,
  warningText,
} from '@whylight/contract';
import type { ScoreKind } from '@whylight/core';
import { predictionText } from '@whylight/host';
import { Command } from 'commander';
import { directories } from '../directories.ts';
import { Failure, UsageError } from '../failure.ts';
import { readable, writeBytes } from '../files.ts';
import {
  type ExplainOptions,
  languageOption,
  methodList,
  targetOption,
  withExplainOptions,
  withJson,
} from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { parametersFor } from '../parameters.ts';
import { Progress } from '../progress.ts';
import { openClient } from '../remote/credentials.ts';
import { seconds } from '../remote/duration.ts';
import { known } from '../remote/known.ts';
import { sendPhoto } from '../remote/send-photo.ts';
import { classScore } from '../scores.ts';

interface Options extends ExplainOptions {
  readonly model?: string;
  readonly method?: string[];
  readonly target: TargetSpec;
  readonly lang: Language;
  readonly output: string;
  readonly timeout?: number;
  readonly fresh?: boolean;
  readonly json?: boolean;
}

const explain = withJson(
  withExplainOptions(
    new Command('explain')
      .description(
        'Explain photos by the service: upload them, wait, and write the same four files as explain',
      )
      .argument('<image...>', 'JPEG, PNG or WebP')
      .option('--model <name>', "classifier to explain (default: the service's)")
      .option(
        '--method <id,id>',
        'methods to explain by, separated by commas (default: grad-cam)',
        methodList,
      )
      .addOption(targetOption())
      .addOption(languageOption())
      .option('--timeout <duration>', 'cancel an explanation that takes longer, such as 90s', seconds)
      .option('--fresh', 'compute the explanation again, even if the service has its result')
      .requiredOption('-o, --output <dir>', 'folder for the results'),
  ),
)
  .addHelpText(
    'after',
    '\nFor several images or methods each result has its own folder: DIR/IMAGE/METHOD/overlay.png ...',
  )
  .action(async (images: string[], options: Options) => {
    const client = await openClient();
    const { method: methods = ['grad-cam'] } = options;
    for (const image of images) await readable(image);
    const directoryOf = directories(images, methods, options.output);
    const results: object[] = [];
    for (const [i, image] of images.entries()) {
      const { id } = await sendPhoto(client, image);
      for (const method of methods) {
        const start = performance.now();
        const explanation = await explainOne(client, { image, upload: id, method, methods }, options);
        const took = Math.round(performance.now() - start);
        const directory = directoryOf(i, method);
        await fetchAll(client, explanation.id, directory);
        results.push({ ...explanation, photo: image, out: directory, milliseconds: took });
        if (!options.json) show(image, explanation, took, directory, options.lang);
      }
    }
    if (options.json) printJson(results);
  });

export const remote = new Command('remote')
  .description('Explain photos by a running service')
  .addCommand(explain);

interface Asked {
  readonly image: string;
  readonly upload: string;
  readonly method: string;
  readonly methods: readonly string[];
}

/** A target as the API takes it, and what of it is explained. */
function targetRequest(target: TargetSpec, score: ScoreKind | undefined): ExplanationRequest['target'] {
  const short = typeof target === 'object' && 'terms' in target ? { terms: [...target.terms] } : target;
  // The short form is used where it says all, because services of earlier releases understand it.
  if (score === undefined) return short;
  const said = { type: 'class' as const, score };
  if (short === 'predicted') return said;
  return 'class_index' in short ? { ...said, index: short.class_index } : { ...said, ...short };
}

async function explainOne(
  client: WhylightClient,
  { image, upload, method, methods }: Asked,
  { model, target, score, convention, param = {}, layer = [], lang, timeout, fresh }: Options,
): Promise<Explanation> {
  const progress = new Progress(`${basename(image)} ${method}`);
  const request: ExplanationRequest = {
    input: { upload },
    method,
    target: targetRequest(target, classScore(score, 'remote explain')),
    parameters: parametersFor(method, methods, param) as ExplanationRequest['parameters'],
    layers: layer,
    language: lang,
    ...(model ? { model } : {}),
    ...(convention ? { convention } : {}),
  };
  const onProgress = ({ progress: done }: Explanation) => {
    if (done) progress.update(done.completed, done.total);
  };
  try {
    const asked = client.explain(request, { timeout, fresh, onProgress });
    const { explanation } = await (model ? known(`model ${model}`, asked) : asked);
    return successOf(explanation);
  } catch (error) {
    if (error instanceof ExplanationError) throw failed(image, error);
    if (error instanceof TimeoutError)
      throw new Failure(
        `${method} did not finish within ${timeout} s, so it was canceled; give a longer --timeout`,
      );
    throw error;
  } finally {
    progress.stop();
  }
}

/** The user can correct an invalid photo, so it is a usage error; every other error is a failure. */
const failed = (image: string, { code, message }: ExplanationError): Error =>
  /image/.test(code)
    ? new UsageError(`${basename(image)}: ${message}`)
    : new Failure(`${basename(image)}: ${message}`);

async function fetchAll(client: WhylightClient, id: string, directory: string): Promise<void> {
  await Promise.all(
    artifactNames.map(async (name) => writeBytes(join(directory, name), await client.artifact(id, name))),
  );
}

/** What is said of the class that is explained. */
const targetOf = (attribution: Explanation['attributions'][number]): Prediction => ({
  class_index: attribution.output_index,
  label: attribution.output_display_name,
  label_zh: attribution.output_display_name_zh,
  probability: attribution.probability,
  score: attribution.score,
});

function show(
  image: string,
  { attributions, method, cache, warnings }: Explanation,
  took: number,
  out: string,
  lang: Language,
) {
  const found = predictionText(targetOf(attributions[0]!), lang);
  const how = cache.status === 'hit' ? 'from the cache' : 'computed';
  print(`${basename(image)}: ${found}, ${method}, ${how}, ${took} ms: ${out}`);
  for (const warning of warnings) note(`  ${warningText(warning)}`);
}
