import { createThreadedRuntime, encodeJpeg, FrameExplainer, type TargetSpec } from '@whylight/host';
import { Command } from 'commander';
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
import { note, print, printJson } from '../output.ts';
import { defaultCamera, liveFrames } from '../video/live-frames.ts';
import { LivePage } from '../video/live-page.ts';
import { portOption } from './serve.ts';

interface Options extends ExplainOptions, DeviceOptions {
  readonly model: string;
  readonly method: string;
  readonly target: TargetSpec;
  readonly lang: 'en' | 'zh';
  readonly format?: string;
  readonly port: number;
  readonly frames?: number;
  readonly json?: boolean;
}

export const camera = withJson(
  withDeviceOptions(
    withExplainOptions(
      new Command('camera')
        .description('Explain what a camera shows, live, on a page on this machine (needs ffmpeg)')
        .argument('[device]', 'the camera as ffmpeg names it (default: the first)')
        .option('--format <name>', "ffmpeg's input format: v4l2, avfoundation, dshow, lavfi")
        .option('--model <name|path>', 'the classifier', 'shapes')
        .option('--method <id>', 'how to explain', 'grad-cam')
        .addOption(targetOption())
        .addOption(languageOption())
        .addOption(portOption(8788))
        .option('--frames <n>', 'end after that many', positive),
    ),
  ),
).action(async (device: string | undefined, options: Options) => {
  const { method, convention, param: params, layer: layers, target, lang: language } = options;
  const usual = device === undefined || options.format === undefined ? defaultCamera() : undefined;
  const source = { format: options.format ?? usual!.format, device: device ?? usual!.device };
  const model = await findModel(options.model);
  const runtime = await createThreadedRuntime({
    ep: options.ep,
    threads: options.threads,
    memory: options.memory,
  });
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort());
  const page = new LivePage();
  let explainer: FrameExplainer | undefined;
  let frames = 0;
  const start = performance.now();
  try {
    for await (const frame of liveFrames(source, stopped.signal)) {
      if (!explainer) {
        const request = { model, method, convention, params, layers, target, language };
        explainer = await FrameExplainer.create(request, frame, runtime);
        const url = await page.open(options.port);
        note(`${source.device}: ${frame.width}×${frame.height}, ${method}, at ${url} (Ctrl-C ends)`);
      }
      const [explained] = await explainer.explain([frame]);
      page.show(await encodeJpeg(await explainer.draw(explained!)));
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
    printJson({ frames, frames_per_second: rate, model: model.name, method, device: runtime.device });
  else print(`${frames} frames, ${rate} a second`);
});
