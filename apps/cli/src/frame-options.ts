import type { Language, TargetSpec } from '@whylight/contract';
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
import { type PreprocessingOptions, withPreprocessingOptions } from './preprocessing-options.ts';
import { questionFor } from './questions.ts';

/** Options of every command that explains frames. */
export interface FrameOptions extends ExplainOptions, DeviceOptions, ReadingOptions, PreprocessingOptions {
  readonly model: string;
  readonly method?: string;
  readonly target: TargetSpec;
  readonly lang: Language;
  readonly json?: boolean;
}

/** Adds --model, --method, --target and --lang, and the options for explaining, preprocessing, devices and JSON. */
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
              .addOption(languageOption()),
          ),
        ),
      ),
    ),
  );

export const frameRequest = async (model: RegisteredModel, options: FrameOptions): Promise<FrameRequest> => {
  const method = options.method ?? (await defaultMethod(model, options, true));
  return { model, question: questionFor(method, [method], options), language: options.lang };
};
