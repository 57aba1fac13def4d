import type { Command } from 'commander';
import { type ReadingOptions, withReadingOptions } from './options.ts';
import { type PreprocessingOptions, withPreprocessingOptions } from './preprocessing-options.ts';

/** What is said of a model on top of what stands beside it. */
export interface ManifestOptions extends ReadingOptions, PreprocessingOptions {
  readonly name?: string;
}

/** Adds --name, what says how the input is made, --labels, --input and --output-name. */
export const withManifestOptions = (command: Command): Command =>
  withReadingOptions(
    withPreprocessingOptions(command.option('--name <name>', "name of the model (default: the file's name)")),
  );
