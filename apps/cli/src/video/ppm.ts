import { type Picture, picture } from '@whylight/core/image';

const header = /^P6\s(\d+)\s(\d+)\s255\s/;
/** Longest header that ffmpeg writes. */
const longest = 32;

/** Splits a stream into its PPM images. */
export async function* ppmImages(stream: AsyncIterable<Buffer>): AsyncGenerator<Picture> {
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
