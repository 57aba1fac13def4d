import { type Picture, picture } from '@whylight/core/image';
import { Failure } from '../failure.ts';
import { start } from './ffmpeg.ts';
import { fileOf, type VideoFacts } from './probe.ts';

/**
 * The frames of a video, upright, at an even pace, one at a time: ffmpeg waits until we have taken them. They come as
 * PPM, so that each says its size.
 *
 * @throws Failure that names the first frame that cannot be decoded
 */
export async function* readFrames(path: string, { rate }: VideoFacts): AsyncGenerator<Picture> {
  // Pixels that are no squares are stretched, not squeezed.
  const filters = `fps=${rate}:round=near,scale=w=iw*max(sar\\,1):h=ih/min(sar\\,1),setsar=1`;
  // One thread, for else frames before the damaged one are still under way when it is met.
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

const header = /^P6\s(\d+)\s(\d+)\s255\s/;
/** Longest header that ffmpeg writes. */
const longest = 32;

/** Splits a stream into its PPM images. */
async function* ppmImages(stream: AsyncIterable<Buffer>): AsyncGenerator<Picture> {
  let head = Buffer.alloc(0);
  let pixels: { width: number; height: number; data: Uint8Array<ArrayBuffer>; filled: number } | undefined;
  for await (const chunk of stream) {
    let rest: Buffer = chunk;
    while (rest.length > 0) {
      if (!pixels) {
        head = Buffer.concat([head, rest]);
        const found = header.exec(head.toString('latin1', 0, longest));
        if (!found) break;
        const [width, height] = [Number(found[1]), Number(found[2])];
        pixels = { width, height, data: new Uint8Array(width * height * 3), filled: 0 };
        rest = head.subarray(found[0].length);
        head = Buffer.alloc(0);
      }
      const part = rest.subarray(0, pixels.data.length - pixels.filled);
      pixels.data.set(part, pixels.filled);
      pixels.filled += part.length;
      rest = rest.subarray(part.length);
      if (pixels.filled < pixels.data.length) continue;
      yield picture(pixels.width, pixels.height, pixels.data);
      pixels = undefined;
    }
  }
}
