import { type Picture, picture } from '@whylight/core/image';
import type { Photo } from './photo.ts';

/** The photo's pixels over white, no larger than `longest`: to draw a map over it. */
export function pictureOf({ bitmap, width, height }: Photo, longest: number): Picture {
  const scale = Math.min(longest / Math.max(width, height), 1);
  const [w, h] = [Math.max(Math.round(width * scale), 1), Math.max(Math.round(height * scale), 1)];
  const context = new OffscreenCanvas(w, h).getContext('2d', { alpha: false, willReadFrequently: true })!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, w, h);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, w, h);
  const rgba = context.getImageData(0, 0, w, h).data;
  const rgb = new Uint8Array(w * h * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4)
    for (let c = 0; c < 3; c++) rgb[to++] = rgba[from + c]!;
  return picture(w, h, rgb);
}
