import { basename, join } from 'node:path';
import { type Language, ownStyle, type TargetSpec } from '@whylight/contract';
import { InputError, type Warning, warningText } from '@whylight/core';
import type { RegionSpec } from '@whylight/core/image';
import type { ResolvedQuestion } from '@whylight/core/methods';
import {
  createRuntime,
  defaultModel,
  ModelRegistry,
  PhotoExplainer,
  type PhotoExplanation,
  photoTypes,
  predictionText,
} from '@whylight/host';
import { Command } from 'commander';
import { defaultMethod } from '../default-method.ts';
import { directories } from '../directories.ts';
import { readable, readBytes, writeBytes } from '../files.ts';
import { findModel } from '../model.ts';
import {
  type DeviceOptions,
  type ExplainOptions,
  languageOption,
  methodList,
  type ReadingOptions,
  targetOption,
  withDeviceOptions,
  withExplainOptions,
  withJson,
  withReadingOptions,
} from '../options.ts';
import { harmless, note, print, printJson } from '../output.ts';
import { alphaOption, drawPanels, type PanelOptions, panelsOf, withPanelOptions } from '../panels.ts';
import { askedBy, type PreprocessingOptions, withPreprocessingOptions } from '../preprocessing-options.ts';
import { sourceLines } from '../preprocessing-report.ts';
import { drawProbabilities } from '../probabilities.ts';
import { Progress } from '../progress.ts';
import { questionFor } from '../questions.ts';
import { type RegionOptions, readRegion, withRegionOptions } from '../regions.ts';

interface Options
  extends ExplainOptions,
    DeviceOptions,
    PanelOptions,
    ReadingOptions,
    PreprocessingOptions,
    RegionOptions {
  readonly model: string;
  readonly method?: string[];
  readonly target: TargetSpec;
  readonly lang: Language;
  readonly alpha?: number;
  readonly stretch?: boolean;
  readonly featureMask?: string;
  readonly probabilities?: boolean;
  readonly output: string;
  readonly json?: boolean;
}

export const explain = withPanelOptions(
  withJson(
    withDeviceOptions(
      withReadingOptions(
        withPreprocessingOptions(
          withExplainOptions(
            withRegionOptions(new Command('explain'))
              .description('Explain photos: write overlay.png, heatmap.png, attribution.npy and result.json')
              .argument(
                '<image...>',
                'JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF; .npy or TIFF for networks with other bands than colours',
              )
              .option('--model <name|path>', 'classifier to explain', defaultModel)
              .option(
                '--method <id,id>',
                'methods to explain by, separated by commas (default: the first that check recommends)',
                methodList,
              )
              .addOption(targetOption())
              .addOption(languageOption())
              .addOption(alphaOption())
              .option(
                '--stretch',
                'stretch the map over the whole photo, although the network saw a crop of it',
              )
              .option(
                '--feature-mask <image>',
                'image in which each colour marks one feature, for methods that hide features',
              )
              .option(
                '--probabilities',
                'also write probabilities.png, with a bar for each of the likeliest classes',
              )
              .requiredOption('-o, --output <dir>', 'folder for the results'),
          ),
        ),
      ),
    ),
  ),
)
  .addHelpText(
    'after',
    '\nFor several images or methods each result has its own folder: DIR/IMAGE/METHOD/overlay.png ...',
  )
  .action(async (images: string[], options: Options) => {
    // Before the first is computed, so that a slip in the last leaves nothing half done.
    const questionsOf = (ids: readonly string[]) => ids.map((id) => questionFor(id, ids, options));
    const named = options.method && questionsOf(options.method);
    const panels = panelsOf(options);
    for (const image of images) await readable(image);
    const model = await findModel(options.model, await askedBy(options));
    const questions = named ?? questionsOf([await defaultMethod(model, options)]);
    const runtime = await createRuntime(options);
    const explainer = new PhotoExplainer(runtime, ModelRegistry.of([model]), { types: photoTypes });
    const region = options.region && (await readRegion(options.region));
    const mask = options.featureMask === undefined ? undefined : await readBytes(options.featureMask);
    const directoryOf = directories(
      images,
      questions.map(({ method }) => method),
      options.output,
    );
    const results: object[] = [];
    try {
      for (const [i, image] of images.entries()) {
        const photo = await readBytes(image);
        for (const question of questions) {
          const explained = await explainOne(
            explainer,
            { mask, region, image, photo, name: model.name, question },
            options,
          );
          const directory = directoryOf(i, question.method);
          for (const [file, bytes] of explained.artifacts) await writeBytes(join(directory, file), bytes);
          if (options.probabilities)
            await writeBytes(
              join(directory, 'probabilities.png'),
              await drawProbabilities(explained, options.lang),
            );
          if (panels.length)
            await writeBytes(
              join(directory, 'panels.png'),
              await drawPanels(photo, explained, explained.result.preprocessing.layout.value, options),
            );
          results.push({ ...explained.result, photo: image, model: model.name, out: directory });
          if (!options.json) show(image, explained, directory, options.lang, results.length === 1);
        }
      }
    } finally {
      await explainer.close();
    }
    if (options.json) printJson(results);
  });

/** What is wrong with a photo; with several, one has to know with which. */
const aboutPhotos: ReadonlySet<string> = new Set([
  'invalid_image',
  'image_too_large',
  'unsupported_media_type',
]);

interface Asked {
  readonly mask: Uint8Array | undefined;
  readonly region: RegionSpec | undefined;
  readonly image: string;
  readonly photo: Uint8Array;
  /** The model's. */
  readonly name: string;
  readonly question: ResolvedQuestion;
}

function explainOne(
  explainer: PhotoExplainer,
  { mask, region, image, photo, name, question }: Asked,
  options: Options,
): Promise<PhotoExplanation> {
  const { lang, colormap, alpha } = options;
  const own = ownStyle(lang);
  const opacity = alpha === undefined ? null : 1 - alpha;
  const progress = new Progress(`${basename(image)} ${question.method}`);
  const request = {
    photo,
    model: name,
    question,
    style: { ...own, visualization: { ...own.visualization, color_map: colormap ?? null, opacity } },
    stretched: options.stretch,
    featureMask: mask,
    region,
  };
  const onProgress = (completed: number, total: number) => progress.update(completed, total);
  return explainer
    .explain(request, { onProgress })
    .catch((error: unknown) => {
      if (error instanceof InputError && aboutPhotos.has(error.code))
        throw new InputError(error.code, `${image}: ${error.message}`);
      throw error;
    })
    .finally(() => progress.stop());
}

function show(
  image: string,
  { result }: PhotoExplanation,
  directory: string,
  lang: Language,
  isFirst: boolean,
): void {
  const { target, method, milliseconds, warnings } = result;
  const took = Math.round(milliseconds.decode + milliseconds.compute + milliseconds.render);
  print(
    `${harmless(basename(image))}: ${harmless(predictionText(target, lang))}, ${method}, ${took} ms: ${directory}`,
  );
  if (isFirst) for (const line of sourceLines(result.preprocessing)) print(`  preprocessing: ${line}`);
  for (const warning of warnings) note(`  ${warningText(warning)}${adviceFor(warning)}`);
}

/** What the command line offers against the cause of a warning. */
const adviceFor = ({ code }: Warning): string => (code === 'small_crop' ? ': try --no-crop' : '');
