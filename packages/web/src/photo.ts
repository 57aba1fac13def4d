import type { Preprocessing } from '@whylight/core/image';
import { type Picture, picture, type Raster } from '@whylight/core/image';

type Rgba = Raster & { readonly data: Uint8Array };

/** A photo as a network takes it, and as people see it. */
export interface Photo {
  readonly pixels: Raster;
  readonly picture: Picture;
}

/** The same as the host's `decodePhoto` makes of a file: only a network that takes RGBA sees what is transparent. */
export function photoOf(rgba: Rgba, channels: Preprocessing['channels']): Photo {
  const shown = overWhite(rgba);
  return { pixels: channels === 'rgba' ? rgba : shown, picture: shown };
}

/** Transparency laid over white, rounded as sharp rounds it. */
export function overWhite({ width, height, data }: Rgba): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4) {
    const alpha = data[from + 3]!;
    for (let channel = 0; channel < 3; channel++)
      rgb[to++] = Math.trunc((data[from + channel]! * alpha + 255 * (255 - alpha)) / 255);
  }
  return picture(width, height, rgb);
}

/** A picture as a canvas takes it. */
export function opaqueRgba({ width, height, data }: Picture): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from]!;
    rgba[to + 1] = data[from + 1]!;
    rgba[to + 2] = data[from + 2]!;
    rgba[to + 3] = 255;
  }
  return rgba;
}
