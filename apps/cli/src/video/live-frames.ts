import type { Picture } from '@whylight/core/image';
import { UsageError } from '../failure.ts';
import { start } from './ffmpeg.ts';
import { ppmImages } from './ppm.ts';

/** A camera, as ffmpeg names devices: `v4l2` and `/dev/video0`. */
export interface Camera {
  readonly format: string;
  readonly device: string;
}

/** The first camera, if the system has a name for it. @throws UsageError */
export function defaultCamera(platform: NodeJS.Platform = process.platform): Camera {
  if (platform === 'linux') return { format: 'v4l2', device: '/dev/video0' };
  if (platform === 'darwin') return { format: 'avfoundation', device: '0' };
  throw new UsageError(
    'name the camera: --format dshow and video=NAME on Windows (ffmpeg -list_devices true -f dshow -i dummy)',
  );
}

/**
 * Yields a camera's newest frame each time. Frames that nobody took in time are dropped, so that a slow explanation
 * does not fall behind.
 *
 * @throws UsageError when the camera gives no frame
 */
export async function* liveFrames({ format, device }: Camera, signal: AbortSignal): AsyncGenerator<Picture> {
  const tool = start(
    'ffmpeg',
    [
      '-nostdin',
      '-f',
      format,
      '-i',
      device,
      '-pix_fmt',
      'rgb24',
      '-f',
      'image2pipe',
      '-c:v',
      'ppm',
      'pipe:1',
    ],
    'ignore',
  );
  const stop = () => tool.process.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let newest: Picture | undefined;
  let seen = false;
  let ended = false;
  let wake = () => {};
  const reading = (async () => {
    for await (const frame of ppmImages(tool.process.stdout!)) {
      newest = frame;
      seen = true;
      wake();
    }
  })().finally(() => {
    ended = true;
    wake();
  });
  reading.catch(() => {});
  try {
    for (;;) {
      if (!newest && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const frame = newest;
      newest = undefined;
      if (frame) yield frame;
      else if (ended) break;
    }
    const { complaint } = await tool.ended;
    if (!seen && !signal.aborted)
      throw new UsageError(
        `camera ${device} (${format}) cannot be opened: ${complaint || 'it shows nothing'}`,
      );
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
