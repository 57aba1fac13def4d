import type { Runtime } from '@whylight/core';
import type { Picture } from '@whylight/core/image';
import { type ExplainedFrame, FrameExplainer, type FrameRequest } from '@whylight/host';
import { probe } from './probe.ts';
import { readFrames } from './read-frames.ts';
import { VideoWriter } from './write-video.ts';

export interface VideoRequest extends FrameRequest {
  readonly input: string;
  readonly output: string;
  /** Frames that are explained together. */
  readonly batch: number;
}

export interface VideoReport {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /** Frames a second, as a fraction. */
  readonly frame_rate: string;
  readonly audio: readonly string[];
  readonly seconds: number;
  readonly frames_per_second: number;
}

/**
 * Explains every frame of a video. No more than two batches of frames are in memory: while one is explained, the one
 * before is rendered and encoded.
 *
 * @throws UsageError, Failure, InputError; then there is no output
 */
export async function explainVideo(
  request: VideoRequest,
  runtime: Runtime,
  onProgress: (completed: number, total: number | null) => void,
): Promise<VideoReport> {
  const start = performance.now();
  const facts = await probe(request.input);
  const writer = new VideoWriter(request.output, request.input, facts);
  let explainer: FrameExplainer | undefined;
  let size = { width: 0, height: 0 };
  let frames = 0;
  const finish = async (explained: readonly ExplainedFrame[]) => {
    for (const frame of explained) {
      await writer.write(await explainer!.render(frame));
      frames++;
      onProgress(frames, facts.frames);
    }
  };
  try {
    let before: Promise<ExplainedFrame[]> | undefined;
    for await (const batch of batches(readFrames(request.input, facts), request.batch)) {
      const [{ width, height }] = batch as [Picture];
      size = { width, height };
      explainer ??= await FrameExplainer.create(request, batch[0]!, runtime);
      const done = before ? await before : [];
      before = explainer.explain(batch);
      before.catch(() => {});
      await finish(done);
    }
    if (before) await finish(await before);
    await writer.finish();
  } finally {
    await writer.close();
    await explainer?.close();
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    frames,
    ...size,
    frame_rate: facts.rate,
    audio: facts.audio,
    seconds: Number(seconds.toFixed(2)),
    frames_per_second: Number((frames / seconds).toFixed(2)),
  };
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
