import type { Photo } from '../photo/photo.ts';

/** What the service takes. */
const types = new Set(['image/jpeg', 'image/png', 'image/webp']);
const most = { bytes: 25 * 2 ** 20, pixels: 25e6 };

/** A photo as the service takes it: the file itself, or the page's own smaller picture where the file is of another type or too large. */
export async function fileFor(photo: Photo): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string }> {
  const { file, bitmap, width, height, shrunkFrom } = photo;
  const [across, down] = shrunkFrom ?? [width, height];
  if (types.has(file.type) && file.size <= most.bytes && across * down <= most.pixels)
    return { bytes: new Uint8Array(await file.arrayBuffer()), type: file.type };
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0);
  const type = 'image/png';
  const png = await canvas.convertToBlob({ type });
  return { bytes: new Uint8Array(await png.arrayBuffer()), type };
}
