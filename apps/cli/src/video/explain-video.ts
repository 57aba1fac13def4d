import type { Runtime } from '@whylight/core';
import type { Picture } from '@whylight/core/image';
import { type ExplainedFrame, FrameExplainer, type FrameRequest } from '@whylight/host';
import { Failure } from '../failure.ts';
import { FrameTable } from './frame-table.ts';
import { probe, type VideoFacts } from './probe.ts';
import { readFrames } from './read-frames.ts';
import { VideoWriter } from './write-video.ts';

export interface VideoRequest extends FrameRequest {
  readonly input: string;
  readonly output: string;
  /** Frames that are explained together. */
  readonly batch: number;
  /** Where to write a table with a row for each frame. */
  readonly csv?: string | undefined;
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

/** Frames that are explained beforehand, to find the scale that all frames share. */
const samples = 16;
/** Every so many frames is a sample, if the file does not say how many frames it has. */
const usualStep = 30;

/**
 * Explains every frame of a video. All frames have one scale, so that a colour means the same from the first frame to the
 * last: that of the strongest of a few frames spread over the video. No more than two batches of frames are in memory: while one is explained, the one
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
  const table = request.csv === undefined ? null : new FrameTable(facts);
  let explainer: FrameExplainer | undefined;
  let size = { width: 0, height: 0 };
  let frames = 0;
  let end: number | undefined;
  const finish = async (explained: readonly ExplainedFrame[]) => {
    for (const frame of explained) {
      await writer.write(await explainer!.render(frame, end));
      table?.add(frame, explainer!.endOf(frame));
      frames++;
      onProgress(frames, facts.frames);
    }
  };
  try {
    let before: Promise<ExplainedFrame[]> | undefined;
    for await (const batch of batches(readFrames(request.input, facts), request.batch)) {
      const [{ width, height }] = batch as [Picture];
      size = { width, height };
      if (!explainer) {
        explainer = await FrameExplainer.create(request, batch[0]!, runtime);
        end = await sharedEnd(explainer, request, facts);
      }
      const done = before ? await before : [];
      before = explainer.explain(batch);
      before.catch(() => {});
      await finish(done);
    }
    if (before) await finish(await before);
    await writer.finish();
    if (table) await table.write(request.csv!);
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

/** Finds the strongest of a few frames: the magnitude at which the colours of all frames are strongest. */
async function sharedEnd(
  explainer: FrameExplainer,
  { input, batch: size }: VideoRequest,
  facts: VideoFacts,
): Promise<number | undefined> {
  const every = facts.frames === null ? usualStep : Math.max(Math.ceil(facts.frames / samples), 1);
  let end = 0;
  try {
    for await (const batch of batches(readFrames(input, { ...facts, rate: `${facts.rate}/${every}` }), size))
      for (const frame of await explainer.explain(batch)) end = Math.max(end, explainer.endOf(frame));
  } catch (error) {
    // Explaining all frames names the one that cannot be decoded; here the others are enough.
    if (!(error instanceof Failure)) throw error;
  }
  return end > 0 ? end : undefined;
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
