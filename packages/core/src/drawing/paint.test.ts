import { expect, test } from 'vitest';
import { float32 } from '../tensor.ts';
import { mapsOf } from './paint.ts';

/** Nine by eight pixels of three channels, of which one pixel counts. */
function spot(order: 'NCHW' | 'NHWC') {
  const data = new Float32Array(3 * 9 * 8);
  const [row, column] = [6, 2];
  for (let c = 0; c < 3; c++)
    data[order === 'NCHW' ? (c * 9 + row) * 8 + column : (row * 8 + column) * 3 + c] = 1;
  return float32(order === 'NCHW' ? [1, 3, 9, 8] : [1, 9, 8, 3], data);
}

test.each(['NCHW', 'NHWC'] as const)('pixels with their channels as in %s lie where they are', (order) => {
  const { over } = mapsOf({ attribution: spot(order), layout: 'NCHW', isPixels: true });
  expect([over.width, over.height]).toEqual([8, 9]);
  expect(over.data.indexOf(Math.max(...over.data))).toBe(6 * 8 + 2);
});
