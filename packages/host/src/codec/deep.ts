import type { Sharp } from 'sharp';

/** Bits that cameras and scanners keep in files of 16. */
const fewer = [8, 10, 12];

interface Levels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Of a picture of 16 bits a channel that holds 12 of them at most (or 10, or 8): its RGB in 8 bits, these stretched to the
 * whole range, for taken as 16 bits it would be black. null: it holds more.
 *
 * @param pipeline upright and without transparency
 */
export async function stretchedLevels(pipeline: Sharp): Promise<Levels | null> {
  const { data, info } = await pipeline
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const levels = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  let most = 0;
  for (const level of levels) if (level > most) most = level;
  const bits = fewer.find((count) => most < 2 ** count);
  if (bits === undefined) return null;
  const out = Uint8Array.from(levels, (level) => Math.round((level * 255) / (2 ** bits - 1)));
  return { width: info.width, height: info.height, data: out };
}
