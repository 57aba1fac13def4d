import { opaqueRgba } from '@whylight/core/drawing';
import type { Picture } from '@whylight/core/image';

/** Puts a picture onto a canvas, which gets its size. */
export function show(canvas: HTMLCanvasElement, picture: Picture): void {
  const { width, height, data } = opaqueRgba(picture);
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')!.putImageData(new ImageData(data, width, height), 0, 0);
}

/** Puts an upright bar of one pixel's width onto a canvas as a lying one: the lowest value left, the highest right. */
export function showBar(canvas: HTMLCanvasElement, upright: Picture): void {
  const { height } = upright;
  const row = new Uint8Array(height * 3);
  for (let x = 0; x < height; x++)
    row.set(upright.data.subarray((height - 1 - x) * 3, (height - x) * 3), x * 3);
  show(canvas, { ...upright, width: height, height: 1, data: row });
}

/** Draws one picture after another, so that the page answers between two. */
let last: Promise<void> = Promise.resolve();
export function inTurn(draw: () => void): void {
  last = last.then(
    () =>
      new Promise((resolve) => {
        setTimeout(() => {
          draw();
          resolve();
        });
      }),
  );
}
