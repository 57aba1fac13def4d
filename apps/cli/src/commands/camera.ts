import { createThreadedRuntime, encodeJpeg, FrameExplainer } from '@whylight/host';
import { Command } from 'commander';
import { type FrameOptions, frameRequest, withFrameOptions } from '../frame-options.ts';
import { findModel } from '../model.ts';
import { positive } from '../options.ts';
import { counted, note, print, printJson } from '../output.ts';
import { askedBy } from '../preprocessing-options.ts';
import { defaultCamera, liveFrames } from '../video/live-frames.ts';
import { LivePage } from '../video/live-page.ts';
import { portOption } from './serve.ts';

interface Options extends FrameOptions {
  readonly format?: string;
  readonly port: number;
  readonly frames?: number;
}

export const camera = withFrameOptions(
  new Command('camera')
    .description('Explain what a camera shows, live, on a page on this machine (needs ffmpeg)')
    .argument('[device]', 'name of the camera, as ffmpeg lists it (default: the first)')
    .option('--format <name>', "ffmpeg's input format: v4l2, avfoundation, dshow, lavfi")
    .addOption(portOption(8788))
    .option('--frames <n>', 'stop after n frames', positive),
).action(async (device: string | undefined, options: Options) => {
  const usual = device === undefined || options.format === undefined ? defaultCamera() : undefined;
  const source = { format: options.format ?? usual!.format, device: device ?? usual!.device };
  const model = await findModel(options.model, await askedBy(options));
  const request = await frameRequest(model, options);
  const runtime = await createThreadedRuntime(options);
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort());
  const page = new LivePage();
  let explainer: FrameExplainer | undefined;
  let frames = 0;
  const start = performance.now();
  try {
    for await (const frame of liveFrames(source, stopped.signal)) {
      if (!explainer) {
        explainer = await FrameExplainer.create(request, frame, runtime);
        const url = await page.open(options.port);
        note(
          `${source.device}: ${frame.width}×${frame.height}, ${request.question.method}, at ${url} (Ctrl-C ends)`,
        );
      }
      const [explained] = await explainer.explain([frame]);
      page.show(await encodeJpeg(await explainer.render(explained!)));
      frames++;
      if (frames === options.frames) break;
    }
  } finally {
    await page.close();
    await explainer?.close();
    await runtime.close();
  }
  const seconds = (performance.now() - start) / 1000;
  const rate = Number((frames / seconds).toFixed(2));
  if (options.json)
    printJson({
      frames,
      frames_per_second: rate,
      model: model.name,
      method: request.question.method,
      device: runtime.device,
    });
  else print(`${counted(frames, 'frame')}, ${rate} a second`);
});
