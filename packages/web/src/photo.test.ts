import { opaqueRgba } from '@whylight/core/drawing';
import { decodeImage } from '@whylight/host';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { overWhite, photoOf } from './photo.ts';

/** Every alpha beside every level. */
const rgba = {
  ...{ width: 256, height: 256, channels: 4 },
  data: Uint8Array.from({ length: 256 * 256 * 4 }, (_, i) => {
    const [pixel, channel] = [Math.trunc(i / 4), i % 4];
    return channel === 3 ? Math.trunc(pixel / 256) : (pixel + channel * 85) % 256;
  }),
};

test('transparency lies over white as the host lays it', async () => {
  const raw = { width: 256, height: 256, channels: 4 as const };
  const png = await sharp(rgba.data, { raw }).png().toBuffer();
  const there = await decodeImage(png);
  expect(Buffer.compare(overWhite(rgba).data, there.data)).toBe(0);
});

test('only a network that takes RGBA sees what is transparent', () => {
  expect(photoOf(rgba, 'rgba').pixels).toBe(rgba);
  expect(photoOf(rgba, 'rgb').pixels).toEqual(overWhite(rgba));
});

test('a picture is opaque on a canvas', () => {
  const picture = { width: 1, height: 2, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;
  expect([...opaqueRgba(picture).data]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
});
