import { type Language, ownStyle, type TargetSpec } from '@whylight/contract';
import type { Colormap } from '@whylight/core/drawing';
import { defaultModel, type FrameRequest, type RegisteredModel } from '@whylight/host';
import type { Command } from 'commander';
import { defaultMethod } from './default-method.ts';
import {
  type DeviceOptions,
  type ExplainOptions,
  languageOption,
  type ReadingOptions,
  targetOption,
  withDeviceOptions,
  withExplainOptions,
  withJson,
  withReadingOptions,
} from './options.ts';
import { alphaOption, colormapOption } from './panels.ts';
import { type PreprocessingOptions, withPreprocessingOptions } from './preprocessing-options.ts';
import { questionFor } from './questions.ts';

/** Options of every command that explains frames. */
export interface FrameOptions extends ExplainOptions, DeviceOptions, ReadingOptions, PreprocessingOptions {
  readonly model: string;
  readonly method?: string;
  readonly target: TargetSpec;
  readonly lang: Language;
  readonly colormap?: Colormap;
  readonly alpha?: number;
  readonly json?: boolean;
}

/** Adds --model, --method, --target, --lang, --colormap and --alpha, and the options for explaining, preprocessing, devices and JSON. */
export const withFrameOptions = (command: Command): Command =>
  withJson(
    withDeviceOptions(
      withReadingOptions(
        withPreprocessingOptions(
          withExplainOptions(
            command
              .option('--model <name|path>', 'classifier to explain', defaultModel)
              .option('--method <id>', 'method to explain by (default: the first that check recommends)')
              .addOption(targetOption())
              .addOption(languageOption())
              .addOption(colormapOption())
              .addOption(alphaOption()),
          ),
        ),
      ),
    ),
  );

export const frameRequest = async (model: RegisteredModel, options: FrameOptions): Promise<FrameRequest> => {
  const method = options.method ?? (await defaultMethod(model, options, true));
  const { lang: language, colormap, alpha } = options;
  const visualization = {
    ...ownStyle().visualization,
    color_map: colormap ?? null,
    opacity: alpha === undefined ? null : 1 - alpha,
  };
  return { model, question: questionFor(method, [method], options), language, visualization };
};
