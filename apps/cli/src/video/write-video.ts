import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Picture } from '@whylight/core/image';
import { Failure } from '../failure.ts';
import { start, type Tool } from './ffmpeg.ts';
import { fileOf, type VideoFacts } from './probe.ts';

/** Audio that an mp4 file can hold; other audio becomes AAC. */
const copied = new Set(['aac', 'mp3', 'ac3', 'eac3', 'alac', 'opus']);

/** Writes an h264 mp4, frame by frame, with the audio of another file. The file gets its name once it is complete. */
export class VideoWriter {
  readonly #path: string;
  readonly #staged: string;
  readonly #source: string;
  readonly #facts: VideoFacts;
  #tool: Tool | undefined;
  #count = 0;

  constructor(path: string, source: string, facts: VideoFacts) {
    this.#path = path;
    this.#staged = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
    this.#source = source;
    this.#facts = facts;
  }

  /** Resolves when the encoder is ready for another. @throws Failure */
  async write({ width, height, data }: Picture): Promise<void> {
    this.#tool ??= this.#start(width, height);
    const { stdin } = this.#tool.process;
    this.#count++;
    if (stdin!.write(data)) return;
    // If the pipe breaks during the wait, the end of the process reports it, too.
    await Promise.race([once(stdin!, 'drain').catch(() => this.#tool?.ended), this.#tool.ended]);
    if (stdin!.destroyed || this.#tool.process.exitCode !== null) await this.#failed();
  }

  /** Completes the file under its name. @throws Failure */
  async finish(): Promise<void> {
    this.#tool?.process.stdin?.end();
    const { code } = await this.#tool!.ended;
    if (code !== 0) await this.#failed();
    await rename(this.#staged, this.#path).catch(({ code: reason }: NodeJS.ErrnoException) => {
      throw new Failure(`${this.#path} cannot be written (${reason})`);
    });
  }

  /** Ends the encoder and removes what it has written, unless `finish` has given it its name. */
  async close(): Promise<void> {
    this.#tool?.process.kill('SIGKILL');
    await this.#tool?.ended.catch(() => {});
    await rm(this.#staged, { force: true });
  }

  #start(width: number, height: number): Tool {
    const { rate, audio } = this.#facts;
    const codec = audio.every((name) => copied.has(name)) ? 'copy' : 'aac';
    // h264 in 4:2:0 has even sides.
    const filters = 'pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p';
    const bt709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'];
    const tool = start(
      'ffmpeg',
      [
        ...[
          '-y',
          '-f',
          'rawvideo',
          '-pix_fmt',
          'rgb24',
          '-s',
          `${width}x${height}`,
          '-r',
          rate,
          '-i',
          'pipe:0',
        ],
        ...['-i', fileOf(this.#source), '-map', '0:v', '-map', '1:a?', '-map_metadata', '1', '-c:a', codec],
        ...['-vf', filters, ...bt709, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20'],
        ...['-movflags', '+faststart', '-f', 'mp4', fileOf(this.#staged)],
      ],
      'pipe',
    );
    // The end of the process reports a broken pipe.
    tool.process.stdin!.on('error', () => {});
    return tool;
  }

  async #failed(): Promise<never> {
    const { code, complaint } = await this.#tool!.ended;
    const said = complaint.replaceAll(fileOf(this.#staged), this.#path);
    throw new Failure(
      `${this.#path}: frame ${this.#count} cannot be encoded: ${said || `ffmpeg ended with ${code}`}`,
    );
  }
}
