import { compileExplainer } from '@whylight/core';
import { resolveQuestion } from '@whylight/core/methods';
import { classifierOf } from '@whylight/host';
import { Command } from 'commander';
import { writeBytes } from '../files.ts';
import { findModel, normalisationOf } from '../model.ts';
import {
  type ExplainOptions,
  modelArgument,
  type ReadingOptions,
  withExplainOptions,
  withJson,
  withReadingOptions,
} from '../options.ts';
import { print, printJson } from '../output.ts';
import { splitNormalisation } from '../parameters.ts';
import { askedBy, type PreprocessingOptions, withPreprocessingOptions } from '../preprocessing-options.ts';
import { onlyPredicted, type RegionOptions, withRegionOptions } from '../regions.ts';
import { kindOf } from '../scores.ts';

interface Options extends ExplainOptions, ReadingOptions, PreprocessingOptions, RegionOptions {
  readonly method: string;
  readonly output: string;
  readonly json?: boolean;
}

export const compile = withJson(
  withReadingOptions(
    withPreprocessingOptions(
      withRegionOptions(
        withExplainOptions(
          new Command('compile')
            .description(
              'Write an ONNX file that takes images and class indices, and returns their explanations',
            )
            .addArgument(modelArgument())
            .requiredOption('--method <id>', 'method to explain by')
            .requiredOption('-o, --output <file>', 'ONNX file to write'),
        ),
      ),
    ),
  ),
).action(async (wanted: string, options: Options) => {
  const { method, layer: layers, param = {}, convention, output, json } = options;
  onlyPredicted(options, 'compile');
  const model = await findModel(wanted, await askedBy(options));
  const classifier = await classifierOf(model);
  const { parameters, normalisation } = splitNormalisation(method, param, normalisationOf(model, classifier));
  const question = resolveQuestion({ method, convention, parameters, layers, score: kindOf(options.score) });
  const bytes = compileExplainer(classifier, { ...question, normalisation });
  await writeBytes(output, bytes);
  if (json) printJson({ out: output, bytes: bytes.length, model: model.name, method });
  else
    print(
      `${output}: ${(bytes.length / 1e6).toFixed(1)} MB, inputs image${classifier.pixels ? ', class_index and region' : ' and class_index'}`,
    );
});
