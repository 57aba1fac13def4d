import type { Command } from 'commander';
import { type ReadingOptions, withReadingOptions } from './options.ts';
import { type PreprocessingOptions, withPreprocessingOptions } from './preprocessing-options.ts';

/** Options that describe a model in addition to the files beside it. */
export interface ManifestOptions extends ReadingOptions, PreprocessingOptions {
  readonly name?: string;
}

/** Adds --name, the options for preprocessing, --labels, --input and --output-name. */
export const withManifestOptions = (command: Command): Command =>
  withReadingOptions(
    withPreprocessingOptions(command.option('--name <name>', "name of the model (default: the file's name)")),
  );
