import { InputError } from '../errors.ts';
import type { Region } from './picture.ts';

type Size = { readonly width: number; readonly height: number };

/** A mask over the photo, or over the maps themselves: how much each of its pixels counts. */
export interface RegionMask extends Size {
  /** What it is called, for messages. */
  readonly name: string;
  readonly data: Float32Array;
}

/** A part of a photo of which a segmenter's score is explained, in the photo's pixels. */
export type RegionSpec =
  /** Where the model predicts the class. */
  | 'predicted'
  /** x and y of the corner, width, height. */
  | { readonly box: readonly [number, number, number, number] }
  | { readonly point: readonly [number, number]; readonly radius: number }
  | { readonly mask: RegionMask };

/** Where a segmenter's maps lie on a photo. */
export interface MapsOnPhoto {
  readonly photo: Size;
  /** Where the network's input lies, in photo pixels. */
  readonly input: Region;
  /** Height and width of the maps. */
  readonly pixels: readonly [number, number];
}

const refused = (message: string) => new InputError('invalid_parameter', `region: ${message}`, ['region']);

/**
 * How much each pixel of the maps counts, [H, W]: 1 where its centre lies in the box or the circle, and where nothing is as
 * small, the pixel that their middle lies in; a mask's number at its centre; -1 for `predicted`.
 *
 * @throws InputError invalid_parameter for a region outside of what the network sees, or a mask of another size
 */
export function regionWeights(region: RegionSpec, maps: MapsOnPhoto): Float32Array<ArrayBuffer> {
  const [height, width] = maps.pixels;
  if (region === 'predicted') return new Float32Array(height * width).fill(-1);
  if ('mask' in region) return maskWeights(region.mask, maps);
  const { input } = maps;
  if ('box' in region) {
    const [x, y, w, h] = region.box;
    checkInside('box', region.box, [x, y, w, h], maps);
    const inside = (px: number, py: number) => px >= x && px < x + w && py >= y && py < y + h;
    // Of what the network sees of the box.
    const [left, top] = [Math.max(x, input.x), Math.max(y, input.y)];
    const [right, bottom] = [Math.min(x + w, input.x + input.width), Math.min(y + h, input.y + input.height)];
    return placed(maps, inside, [(left + right) / 2, (top + bottom) / 2]);
  }
  const [x, y] = region.point;
  const { radius } = region;
  checkInside('point', [x, y, ...(radius > 0 ? [radius] : [])], [x, y, 0, 0], maps);
  return placed(maps, (px, py) => Math.hypot(px - x, py - y) <= radius, [x, y]);
}

function placed(
  { input, pixels: [height, width] }: MapsOnPhoto,
  inside: (x: number, y: number) => boolean,
  [x, y]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  const weights = Float32Array.from({ length: height * width }, (_, i) =>
    Number(
      inside(
        input.x + (((i % width) + 0.5) * input.width) / width,
        input.y + ((Math.trunc(i / width) + 0.5) * input.height) / height,
      ),
    ),
  );
  const place = (at: number, start: number, extent: number, size: number) =>
    Math.min(Math.max(Math.floor(((at - start) / extent) * size), 0), size - 1);
  if (!weights.includes(1))
    weights[place(y, input.y, input.height, height) * width + place(x, input.x, input.width, width)] = 1;
  return weights;
}

function maskWeights(
  { name, width, height, data }: RegionMask,
  { photo, input, pixels: [rows, columns] }: MapsOnPhoto,
): Float32Array<ArrayBuffer> {
  const isPhoto = width === photo.width && height === photo.height;
  if (!isPhoto && (width !== columns || height !== rows))
    throw refused(
      `${name}: expected a mask of the photo's size, ${photo.width}x${photo.height}, or of the maps', ${columns}x${rows}; got ${width}x${height}`,
    );
  const weights = isPhoto
    ? Float32Array.from({ length: rows * columns }, (_, i) => {
        const x = Math.floor(input.x + (((i % columns) + 0.5) * input.width) / columns);
        const y = Math.floor(input.y + ((Math.trunc(i / columns) + 0.5) * input.height) / rows);
        return x >= 0 && y >= 0 && x < width && y < height ? data[y * width + x]! : 0;
      })
    : Float32Array.from(data);
  if (weights.some((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY)))
    throw refused(`${name}: expected numbers from 0 on: how much each pixel counts`);
  if (weights.every((weight) => weight === 0))
    throw refused(`${name}: the mask has no pixel in the part of the photo that the network sees`);
  return weights;
}

function checkInside(
  kind: string,
  said: readonly number[],
  [x, y, width, height]: readonly [number, number, number, number],
  { photo, input }: MapsOnPhoto,
): void {
  const [left, top] = [Math.max(input.x, 0), Math.max(input.y, 0)];
  const right = Math.min(input.x + input.width, photo.width);
  const bottom = Math.min(input.y + input.height, photo.height);
  if (x < right && y < bottom && x + width >= left && y + height >= top) return;
  const round = (value: number) => Math.round(value * 10) / 10;
  throw refused(
    `${kind} ${said.join(',')} lies outside of what the network sees of the photo, x ${round(left)} to ${round(right)} and y ${round(top)} to ${round(bottom)}; the photo has ${photo.width}x${photo.height} pixels`,
  );
}
