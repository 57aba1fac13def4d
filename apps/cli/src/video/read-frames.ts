import type { Picture } from '@whylight/core/image';
import { Failure } from '../failure.ts';
import { start } from './ffmpeg.ts';
import { ppmImages } from './ppm.ts';
import { fileOf, type VideoFacts } from './probe.ts';

/**
 * Yields the frames of a video, upright, at an even pace, one at a time: ffmpeg waits until we have taken them. They
 * come as PPM, so that each states its size.
 *
 * @throws Failure that names the first frame that cannot be decoded
 */
export async function* readFrames(path: string, { rate }: VideoFacts): AsyncGenerator<Picture> {
  // Pixels that are no squares are stretched, not squeezed.
  const filters = `fps=${rate}:round=near,scale=w=iw*max(sar\\,1):h=ih/min(sar\\,1),setsar=1`;
  // One thread, because otherwise frames before a damaged frame are still under way when ffmpeg reaches it.
  const tool = start(
    'ffmpeg',
    [
      ...['-nostdin', '-xerror', '-err_detect', 'explode', '-threads', '1', '-i', fileOf(path)],
      ...['-map', '0:v:0', '-vf', filters, '-pix_fmt', 'rgb24', '-f', 'image2pipe', '-c:v', 'ppm', 'pipe:1'],
    ],
    'ignore',
  );
  let count = 0;
  try {
    for await (const frame of ppmImages(tool.process.stdout!)) {
      count++;
      yield frame;
    }
    const { code, complaint } = await tool.ended;
    if (code !== 0 || complaint !== '')
      throw new Failure(
        `${path}: frame ${count} cannot be decoded: ${complaint || `ffmpeg ended with ${code}`}`,
      );
    if (count === 0) throw new Failure(`${path} has no frames`);
  } finally {
    tool.process.kill('SIGKILL');
  }
}
