import { createThreadedRuntime } from '@whylight/host';
import { Command } from 'commander';
import { makeDirectory } from '../files.ts';
import { type FrameOptions, frameRequest, withFrameOptions } from '../frame-options.ts';
import { findModel } from '../model.ts';
import { positive } from '../options.ts';
import { counted, print, printJson } from '../output.ts';
import { askedBy } from '../preprocessing-options.ts';
import { Progress } from '../progress.ts';
import { explainVideo } from '../video/explain-video.ts';

interface Options extends FrameOptions {
  readonly batch: number;
  readonly output: string;
  readonly csv?: string;
}

export const video = withFrameOptions(
  new Command('video')
    .description('Explain every frame of a video, and keep its frame rate and audio (needs ffmpeg)')
    .argument('<in.mp4>', 'video to explain, in any format that ffmpeg reads')
    .option('--batch <n>', 'number of frames to explain in one run', positive, 8)
    .option(
      '--csv <file>',
      'also write a table: for each frame its time, its classes and how strong its map is',
    )
    .requiredOption('-o, --output <out.mp4>', 'video file to write'),
).action(async (input: string, options: Options) => {
  const { batch, output, csv } = options;
  const model = await findModel(options.model, await askedBy(options));
  const asked = await frameRequest(model, options);
  const { method } = asked.question;
  // In its own thread, so that frames are rendered while the next ones are explained.
  const runtime = await createThreadedRuntime(options);
  const progress = new Progress(`${input} ${method}`);
  const onProgress = (completed: number, total: number | null) =>
    progress.update(completed, total ?? completed);
  const request = { ...asked, input, output, batch, csv };
  try {
    await makeDirectory(output);
    const report = await explainVideo(request, runtime, onProgress);
    progress.stop();
    if (options.json)
      printJson({ out: output, model: model.name, method, device: runtime.device, ...report });
    else print(`${output}: ${counted(report.frames, 'frame')}, ${report.frames_per_second} a second`);
  } finally {
    progress.stop();
    await runtime.close();
  }
});
