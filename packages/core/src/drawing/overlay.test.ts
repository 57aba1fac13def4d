import { describe, expect, it } from 'vitest';
import { golden } from '../image/golden.ts';
import { floatMap, picture } from '../image/picture.ts';
import { resizeMap } from '../image/resize.ts';
import { overlay, wholePixels } from './overlay.ts';

const grey = (width: number, height: number) =>
  picture(width, height, new Uint8Array(width * height * 3).fill(100));
const ones = floatMap(2, 2, new Float32Array(4).fill(1));

describe.skipIf(golden === null)('as torchcam records it', () => {
  const mask = () => floatMap(2, 2, Float32Array.from(golden!['overlay.mask']!.data));

  it('resizes the mask bicubic, overshooting', () => {
    const { data } = resizeMap(mask(), 5, 4, 'bicubic');
    expect([...data]).toEqual(golden!['overlay.mask.resized_bicubic']!.data.map(Math.fround));
  });

  it.each([0.5, 0.7])('K7: overlays with alpha %f, level for level', (alpha) => {
    const photo = picture(5, 4, Uint8Array.from(golden!['overlay.img']!.data));
    const { data } = overlay(photo, mask(), undefined, { alpha });
    expect([...data]).toEqual(golden![`overlay.out.alpha${alpha}`]!.data);
  });
});

describe('overlay', () => {
  it('K7: touches the region and nothing else', () => {
    const { data } = overlay(grey(8, 6), ones, { x: 2.4, y: 1.2, width: 3.2, height: 3.1 });
    for (let y = 0; y < 6; y++)
      for (let x = 0; x < 8; x++) {
        const inside = x >= 2 && x < 6 && y >= 1 && y < 4;
        // jet's last entry is (127, 0, 0): trunc(127 + 0.7 · (100 - 127)) = 108, trunc(0.7 · 100) = 70 (or 69 in float32)
        expect(data[(y * 8 + x) * 3]).toBe(inside ? 108 : 100);
      }
  });

  it('squares the map, so that half is a quarter, unless told not to', () => {
    const half = floatMap(1, 1, Float32Array.of(0.5));
    const quarter = overlay(grey(1, 1), half, undefined, { alpha: 0, colormap: 'gray' });
    expect([...quarter.data]).toEqual([64, 64, 64]);
    const plain = overlay(grey(1, 1), half, undefined, { alpha: 0, colormap: 'gray', squared: false });
    expect([...plain.data]).toEqual([128, 128, 128]);
  });

  it('draws what lies on the photo of a region that reaches beyond it', () => {
    const { data } = overlay(grey(3, 3), ones, { x: -2, y: 2, width: 4, height: 4 }, { alpha: 0 });
    expect(Array.from({ length: 9 }, (_, i) => data[i * 3])).toEqual([
      100, 100, 100, 100, 100, 100, 127, 127, 100,
    ]);
  });

  it('leaves the photo that it was given alone', () => {
    const photo = grey(4, 4);
    overlay(photo, ones);
    expect(photo).toEqual(grey(4, 4));
  });

  it('refuses an alpha of 1 or more', () => {
    expect(() => overlay(grey(1, 1), ones, undefined, { alpha: 1 })).toThrow(/below 1; got 1/);
  });
});

it('rounds edges, not sizes, so that neighbours meet', () => {
  const left = wholePixels({ x: 0, y: 0, width: 10.5, height: 1 });
  const right = wholePixels({ x: 10.5, y: 0, width: 9.5, height: 0.2 });
  expect(left.x + left.width).toBe(right.x);
  expect(right).toMatchObject({ width: 9, height: 1 });
});
