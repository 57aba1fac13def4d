import type { Size } from '../image/geometry.ts';
import type { Picture } from '../image/picture.ts';

/** Finds edges: marked pixels that have a pixel without a mark within one `part`-th of the short side. */
export function edgesOf(inside: Uint8Array, size: Size, part = 200): Uint8Array {
  const reach = Math.max(1, Math.round(Math.min(size.width, size.height) / part));
  const eroded = erode(erode(inside, size, 'x', reach), size, 'y', reach);
  return inside.map((is, p) => (is && !eroded[p] ? 1 : 0));
}

/** Each of its two colours is this part of the short side wide. */
const contourPart = 400;

/** Draws a line around the marked pixels: white inside and dark outside, so that it is visible on every photo. */
export function drawContour({ width, height, data }: Picture, inside: Uint8Array): void {
  const beside = inside.map((is) => 1 - is);
  for (const [edges, level] of [
    [edgesOf(inside, { width, height }, contourPart), 255],
    [edgesOf(beside, { width, height }, contourPart), 0],
  ] as const)
    edges.forEach((is, pixel) => {
      if (!is) return;
      for (let at = pixel * 3; at < pixel * 3 + 3; at++) data[at] = Math.round((data[at]! + 4 * level) / 5);
    });
}

/** Keeps mask pixels that have only mask pixels within `reach` along an axis; the picture's edge erodes nothing. */
function erode(mask: Uint8Array, { width, height }: Size, axis: 'x' | 'y', reach: number): Uint8Array {
  const [stride, length] = axis === 'x' ? [1, width] : [width, height];
  const out = mask.slice();
  for (let p = 0; p < mask.length; p++) {
    if (mask[p]) continue;
    const position = axis === 'x' ? p % width : Math.floor(p / width);
    const last = Math.min(reach, length - 1 - position);
    for (let step = Math.max(-reach, -position); step <= last; step++) out[p + step * stride] = 0;
  }
  return out;
}
