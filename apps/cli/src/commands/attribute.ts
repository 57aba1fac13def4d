import { row, type Target, warningText, writeNpy } from '@whylight/core';
import { createRuntime } from '@whylight/host';
import { Command } from 'commander';
import { type AttributionJob, readJobs } from '../attribution-jobs.ts';
import { type FailureReport, failureOf, UsageError } from '../failure.ts';
import { writeBytes } from '../files.ts';
import {
  type DeviceOptions,
  type ExplainOptions,
  nameAndFile,
  type Parameters,
  type ReadingOptions,
  targetList,
  withDeviceOptions,
  withExplainOptions,
  withJson,
  withReadingOptions,
} from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { askedBy, type PreprocessingOptions, withValueOptions } from '../preprocessing-options.ts';
import { Progress } from '../progress.ts';
import { type RegionOptions, withRegionOptions } from '../regions.ts';
import { TensorExplainer, type TensorExplanation } from '../tensor-explainer.ts';

interface Options extends ExplainOptions, DeviceOptions, ReadingOptions, PreprocessingOptions, RegionOptions {
  readonly model?: string;
  readonly tensor?: string;
  readonly method?: string;
  readonly target?: Target[];
  readonly aux?: Parameters;
  readonly output?: string;
  readonly jobs?: string;
  readonly json?: boolean;
}

export const attribute = withJson(
  withDeviceOptions(
    withReadingOptions(
      withValueOptions(
        withExplainOptions(
          withRegionOptions(new Command('attribute'))
            .description(
              'Explain a tensor: read .npy and write .npy, without decoding, preprocessing or rendering',
            )
            .option('--model <name|path>', 'classifier to explain')
            .option('--tensor <in.npy>', 'normalised input of the network, float32 [N, C, H, W]')
            .option('--method <id>', 'method to explain by')
            .option(
              '--target <index,index>',
              'class for all rows, or one per row: an index, predicted, or a sum such as 281-282',
              targetList,
            )
            .option(
              '--aux <name=file.npy>',
              'use these recorded noises, masks or permutations, repeatable',
              nameAndFile,
            )
            .option('-o, --output <out.npy>', 'file for the attribution')
            .option('--jobs <file.json>', 'read many such jobs from a file, in place of the options above'),
        ),
      ),
    ),
  ),
).action(async (options: Options) => {
  const beside = (['model', 'tensor', 'method', 'target', 'output'] as const).find((name) => options[name]);
  if (options.jobs !== undefined && beside)
    throw new UsageError(`--${beside}: not allowed with --jobs, where each job states its own ${beside}`);
  const single = options.jobs === undefined ? jobOf(options) : null;
  const jobs = single ? [single] : await readJobs(options.jobs!);
  // A job says by itself what is explained in place of a class.
  const { score: _, ...asked } = await askedBy(options);
  const explainer = new TensorExplainer(await createRuntime(options), asked);
  try {
    if (single) {
      const report = await run(single, explainer, options);
      if (options.json) printJson(report);
    } else await runAll(jobs, explainer, options);
  } finally {
    await explainer.close();
  }
});

/** Runs every job, whatever becomes of the others. */
async function runAll(jobs: readonly AttributionJob[], explainer: TensorExplainer, options: Options) {
  const reports: object[] = [];
  const failures: FailureReport[] = [];
  for (const [i, job] of jobs.entries()) {
    try {
      reports.push(await run(job, explainer, options));
    } catch (error) {
      const failure = failureOf(error);
      failures.push(failure);
      note(`job ${i} (${job.out}): ${failure.message}`);
      reports.push({ out: job.out, error: { code: failure.code, message: failure.message } });
    }
  }
  if (options.json) printJson(reports);
  if (failures.length === 0) return;
  note(`whylight: ${failures.length} of ${jobs.length} jobs failed`);
  process.exitCode = Math.max(...failures.map(({ exitCode }) => exitCode));
}

function jobOf(options: Options): AttributionJob {
  const { model, tensor, method, target, output, layer, param, convention, aux, input } = options;
  const { score, region, over } = options;
  if (!model || !tensor || !method || !target || !output) {
    const missing = Object.entries({ model, tensor, method, target, output }).find(([, value]) => !value);
    throw new UsageError(`--${missing?.[0]} is missing: give it, or give --jobs`);
  }
  const reading = { inputs: input, output_name: options.outputName ?? options.scores };
  return {
    model,
    tensor,
    method,
    target,
    layers: layer,
    parameters: param,
    convention,
    aux,
    ...{ score, region, over },
    ...reading,
    out: output,
  };
}

async function run(job: AttributionJob, explainer: TensorExplainer, { json }: Options): Promise<object> {
  const start = performance.now();
  const progress = new Progress(job.method);
  const onProgress = (completed: number, total: number) => progress.update(completed, total);
  const answer = await explainer.explain(job, onProgress).finally(() => progress.stop());
  await writeBytes(job.out, writeNpy(answer.attribution));
  const milliseconds = Math.round(performance.now() - start);
  for (const warning of answer.warnings) note(`${job.out}: ${warningText(warning)}`);
  const { method, attribution } = answer;
  if (!json) print(`${job.out}: ${method.id} [${attribution.shape.join(', ')}], ${milliseconds} ms`);
  return reportOf(job, answer, milliseconds);
}

function reportOf({ out }: AttributionJob, answer: TensorExplanation, milliseconds: number): object {
  const { probabilities, targets } = answer;
  const scores = targets.map((target, n) => row(answer.scores, n).data[target]);
  return {
    out,
    task: answer.task,
    method: answer.method.id,
    convention: answer.method.convention,
    params: answer.method.parameters,
    layers: answer.layers,
    targets: answer.targets,
    scores,
    probabilities: probabilities && targets.map((target, n) => row(probabilities, n).data[target]),
    shape: answer.attribution.shape,
    convergence_delta: answer.convergenceDelta,
    scale: answer.scale,
    warnings: answer.warnings,
    milliseconds,
  };
}
