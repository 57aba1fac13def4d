import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { UsageError } from '../failure.ts';
import { readable } from '../files.ts';
import { start } from './ffmpeg.ts';

const streamSchema = z.object({
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  nb_frames: z.string().optional(),
  duration: z.string().optional(),
});
const reportSchema = z.object({
  streams: z.array(streamSchema).default([]),
  format: z.object({ duration: z.string().optional() }).default({}),
});

export interface VideoFacts {
  /** Frames a second as a fraction, `30000/1001`. */
  readonly rate: string;
  /** About how many frames there are; null if the file does not state it. */
  readonly frames: number | null;
  /** Codecs of the audio tracks. */
  readonly audio: readonly string[];
}

/** Reads a file's data by ffprobe. @throws UsageError for a file that is no video. @throws Failure without ffprobe */
export async function probe(path: string): Promise<VideoFacts> {
  await readable(path);
  const tool = start('ffprobe', ['-show_streams', '-show_format', '-of', 'json', fileOf(path)], 'ignore');
  const [output, { code, complaint }] = await Promise.all([text(tool.process.stdout!), tool.ended]);
  const report = code === 0 ? reportSchema.safeParse(JSON.parse(output)).data : undefined;
  const video = report?.streams.find(({ codec_type }) => codec_type === 'video');
  if (!report || !video)
    throw new UsageError(`${path} is no video${code === 0 ? '' : `: ${why(path, complaint)}`}`);
  const rate = video.avg_frame_rate ?? '0/0';
  const [over = 0, under = 0] = rate.split('/').map(Number);
  if (!(over / under > 0)) throw new UsageError(`${path} has no frame rate`);
  const seconds = Number(video.duration ?? report.format.duration);
  const counted = Number(video.nb_frames) || Math.round((seconds * over) / under);
  const audio = report.streams.filter(({ codec_type }) => codec_type === 'audio');
  return {
    rate,
    frames: counted > 0 ? counted : null,
    audio: audio.map(({ codec_name }) => codec_name ?? 'unknown'),
  };
}

/** A name that starts with a dash, or has a colon, is still a file. */
export const fileOf = (path: string): string => `file:${path}`;

const why = (path: string, complaint: string): string =>
  complaint.replace(`${fileOf(path)}: `, '').replace(fileOf(path), path) || 'ffprobe does not understand it';
