import { picture } from '@whylight/core/image';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { chunkTypes } from '../testing/png.ts';
import { decodeImage } from './decode.ts';
import { encodePng } from './encode.ts';

it('gives back every pixel', async () => {
  const data = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 37) % 256);
  expect(await decodeImage(await encodePng(picture(7, 5, data)))).toEqual(picture(7, 5, data));
});

it('D8: carries nothing of the photo but pixels', async () => {
  const photo = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .withExif({ IFD3: { GPSLatitude: '52/1 31/1 0/1' } })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    .withIccProfile('p3')
    .jpeg()
    .toBuffer();
  expect(photo.includes('Exif')).toBe(true);
  const png = await encodePng(await decodeImage(photo));
  expect(chunkTypes(png).filter((type) => !['IHDR', 'pHYs', 'IDAT', 'IEND'].includes(type))).toEqual([]);
});
