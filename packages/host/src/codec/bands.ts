import { InputError, readNpy } from '@whylight/core';
import { range } from '@whylight/core/drawing';
import { type Picture, picture, type Raster, raster } from '@whylight/core/image';
import sharp from 'sharp';

/** Reads files of bands, for networks whose images are no photos. The numbers stay as they are in the file. */

/**
 * Reads an array as bands. Its shape is [H, W], [bands, H, W] or [H, W, bands], whichever has as many bands as the network
 * takes. A leading axis of length one is ignored.
 *
 * @throws InputError `invalid_image`
 */
export function bandsOfNpy(bytes: Uint8Array, count: number): Raster {
  const { dtype, shape: whole, data } = readNpy(bytes);
  const shape = whole.length === 4 && whole[0] === 1 ? whole.slice(1) : whole;
  const refuse = (): never => {
    throw new InputError(
      'invalid_image',
      `the network takes ${named(count)}: expected an array [${count}, height, width] or [height, width, ${count}], got ${dtype} [${whole.join(', ')}]`,
    );
  };
  if (dtype === 'float16' || dtype === 'bool') return refuse();
  const values =
    dtype === 'uint8' ? (data as Uint8Array) : Float32Array.from(data as Iterable<number | bigint>, Number);
  if (shape.length === 2 && count === 1) return raster(shape[1]!, shape[0]!, 1, values);
  if (shape.length !== 3) return refuse();
  if (shape[0] !== count) {
    if (shape[2] !== count) return refuse();
    return raster(shape[1]!, shape[0]!, count, values);
  }
  const [, height, width] = shape as [number, number, number];
  const pixels = height * width;
  const interleaved = values.slice();
  for (let band = 0; band < count; band++)
    for (let p = 0; p < pixels; p++) interleaved[p * count + band] = values[band * pixels + p]!;
  return raster(width, height, count, interleaved);
}

/** Reads the pages of a TIFF as bands, or the samples of its only page. @throws InputError `invalid_image` */
export async function bandsOfTiff(bytes: Uint8Array, count: number): Promise<Raster> {
  const {
    pages = 1,
    channels,
    depth,
    space,
    width,
    height,
  } = await sharp(bytes, {
    limitInputPixels: false,
  }).metadata();
  const per = channels;
  if (pages * per !== count)
    throw new InputError(
      'invalid_image',
      `the network takes ${named(count)}, this TIFF has ${pages === 1 ? named(per) : `${pages} pages of ${named(per)}`}`,
    );
  const length = width * height * count;
  const out = depth === 'uchar' ? new Uint8Array(length) : new Float32Array(length);
  for (let page = 0; page < pages; page++) {
    const { data, info } = await sharp(bytes, { page, failOn: 'error', limitInputPixels: false })
      .pipelineColourspace(space)
      .toColourspace(space)
      .raw({ depth: 'float' })
      .timeout({ seconds: 30 })
      .toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height || info.channels !== per)
      throw new InputError(
        'invalid_image',
        'the pages of this TIFF have different sizes: bands have one size',
      );
    const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    for (let p = 0; p < width * height; p++)
      for (let sample = 0; sample < per; sample++)
        out[p * count + page * per + sample] = values[p * per + sample]!;
  }
  return raster(width, height, count, out);
}

/** A grey picture of bands: their mean, from black (the smallest value) to white (the largest). */
export function pictureOfBands({ width, height, channels, data }: Raster): Picture {
  const means = Float32Array.from({ length: width * height }, (_, p) => {
    let sum = 0;
    for (let band = 0; band < channels; band++) sum += data[p * channels + band]!;
    return sum / channels;
  });
  const [least, most] = range(means);
  const levels = new Uint8Array(width * height * 3);
  means.forEach((mean, p) => {
    levels.fill(Math.round(((mean - least) / (most - least || 1)) * 255), p * 3, p * 3 + 3);
  });
  return picture(width, height, levels);
}

const named = (count: number): string => (count === 1 ? 'one band' : `${count} bands`);
