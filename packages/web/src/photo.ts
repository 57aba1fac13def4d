import type { Preprocessing } from '@whylight/core/image';
import { type Picture, picture, type Raster } from '@whylight/core/image';

type Rgba = Raster & { readonly data: Uint8Array };

/** A photo in the form for a network, and in the form for people. */
export interface Photo {
  readonly pixels: Raster;
  readonly picture: Picture;
}

/** Makes the same photo as the host's `decodePhoto` from a file: only a network that takes RGBA gets transparency. */
export function photoOf(rgba: Rgba, channels: Preprocessing['channels']): Photo {
  const shown = overWhite(rgba);
  return { pixels: channels === 'rgba' ? rgba : shown, picture: shown };
}

/** Lays transparent pixels over white, rounded as sharp rounds them. */
export function overWhite({ width, height, data }: Rgba): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4) {
    const alpha = data[from + 3]!;
    for (let channel = 0; channel < 3; channel++)
      rgb[to++] = Math.trunc((data[from + channel]! * alpha + 255 * (255 - alpha)) / 255);
  }
  return picture(width, height, rgb);
}
