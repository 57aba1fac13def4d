import type { Sharp } from 'sharp';

/** Bits per channel that cameras and scanners store in 16-bit files. */
const fewer = [8, 10, 12];

interface Levels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Converts a 16-bit picture whose values use at most 12 bits (or 10, or 8) to 8-bit RGB, stretched to the whole range. Read as
 * 16 bits it would be black. Returns null if the values use more bits.
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
