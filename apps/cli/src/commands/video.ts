import { createThreadedRuntime, type TargetSpec } from '@whylight/host';
import { Command } from 'commander';
import { makeDirectory } from '../files.ts';
import { findModel } from '../model.ts';
import {
  type DeviceOptions,
  type ExplainOptions,
  languageOption,
  positive,
  targetOption,
  withDeviceOptions,
  withExplainOptions,
  withJson,
} from '../options.ts';
import { print, printJson } from '../output.ts';
import { Progress } from '../progress.ts';
import { explainVideo } from '../video/explain-video.ts';

interface Options extends ExplainOptions, DeviceOptions {
  readonly model: string;
  readonly method: string;
  readonly target: TargetSpec;
  readonly lang: 'en' | 'zh';
  readonly batch: number;
  readonly output: string;
  readonly json?: boolean;
}

export const video = withJson(
  withDeviceOptions(
    withExplainOptions(
      new Command('video')
        .description('Explain every frame of a video; its frame rate and its audio stay (needs ffmpeg)')
        .argument('<in.mp4>', 'a video that ffmpeg reads')
        .option('--model <name|path>', 'the classifier', 'shapes')
        .option('--method <id>', 'how to explain', 'grad-cam')
        .addOption(targetOption())
        .addOption(languageOption())
        .option('--batch <n>', 'frames that are explained at once', positive, 8)
        .requiredOption('-o, --output <out.mp4>', 'the video to write'),
    ),
  ),
).action(async (input: string, options: Options) => {
  const {
    method,
    convention,
    score,
    param: params,
    layer: layers,
    target,
    lang: language,
    batch,
    output,
  } = options;
  const { ep, threads, memory } = options;
  const model = await findModel(options.model);
  // In a thread of its own: frames are drawn while the next ones are explained.
  const runtime = await createThreadedRuntime({ ep, threads, memory });
  const progress = new Progress(`${input} ${method}`);
  const onProgress = (completed: number, total: number | null) =>
    progress.update(completed, total ?? completed);
  const request = {
    input,
    output,
    batch,
    model,
    method,
    convention,
    score,
    params,
    layers,
    target,
    language,
  };
  try {
    await makeDirectory(output);
    const report = await explainVideo(request, runtime, onProgress);
    progress.stop();
    if (options.json)
      printJson({ out: output, model: model.name, method, device: runtime.device, ...report });
    else print(`${output}: ${report.frames} frames, ${report.frames_per_second} a second`);
  } finally {
    progress.stop();
    await runtime.close();
  }
});
