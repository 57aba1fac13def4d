import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Drawing, draw, kinds, size } from './draw.ts';

const seeds = Array.from({ length: 60 }, (_, seed) => seed);

function centre(mask: Uint8Array): { x: number; y: number; area: number } {
  let [x, y, area] = [0, 0, 0];
  mask.forEach((inside, pixel) => {
    x += inside * (pixel % size);
    y += inside * Math.floor(pixel / size);
    area += inside;
  });
  return { x: x / area, y: y / area, area };
}

/** Mean colour of the pixels that a predicate picks. */
function mean({ picture }: Drawing, picked: (pixel: number) => boolean): number[] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let pixel = 0; pixel < size * size; pixel++) {
    if (!picked(pixel)) continue;
    count++;
    for (let c = 0; c < 3; c++) sums[c] = (sums[c] ?? 0) + (picture.data[pixel * 3 + c] ?? 0);
  }
  return sums.map((sum) => sum / count);
}

test('the network saw these very drawings: seed 7 has the bytes that it had when the network was trained', () => {
  const { picture, mask, label } = draw(7);
  const digest = createHash('sha256').update(picture.data).update(mask).update(Uint8Array.of(label));
  expect(digest.digest('hex')).toBe('6db9c0b0bce2a1caa237e707778eb3c11356f8e5ead63901be7d6d1f35c0cdbc');
});

test('a drawing is 128 × 128 RGB with a mask of zeros and ones', () => {
  const { picture, mask } = draw(3);
  expect(picture).toMatchObject({ width: 128, height: 128, channels: 3 });
  expect(picture.data.length).toBe(128 * 128 * 3);
  expect(mask.length).toBe(128 * 128);
  expect(new Set(mask)).toEqual(new Set([0, 1]));
});

test('all ten kinds come up, about equally often', () => {
  const counts = kinds.map(() => 0);
  for (let seed = 0; seed < 200; seed++) {
    const { label } = draw(seed);
    counts[label] = (counts[label] ?? 0) + 1;
  }
  expect(kinds).toHaveLength(10);
  expect(Math.min(...counts)).toBeGreaterThan(8);
  expect(Math.max(...counts)).toBeLessThan(36);
});

test('the object is wholly visible and covers between 1 % and 13 % of the picture', () => {
  for (const seed of seeds) {
    const { mask } = draw(seed);
    const edge = mask.some((inside, pixel) => {
      const [x, y] = [pixel % size, Math.floor(pixel / size)];
      return inside === 1 && (x === 0 || y === 0 || x === size - 1 || y === size - 1);
    });
    expect(edge, `seed ${seed} touches the edge`).toBe(false);
    expect(centre(mask).area).toBeGreaterThan(0.01 * size * size);
    expect(centre(mask).area).toBeLessThan(0.13 * size * size);
  }
});

test('objects lie all over the picture, so that guessing its middle finds few of them', () => {
  const centres = seeds.map((seed) => centre(draw(seed).mask));
  for (const axis of ['x', 'y'] as const) {
    expect(centres.some((at) => at[axis] < 32)).toBe(true);
    expect(centres.some((at) => at[axis] > 96)).toBe(true);
  }
  const middle = (size / 2) * size + size / 2;
  expect(seeds.filter((seed) => draw(seed).mask[middle] === 1).length).toBeLessThan(seeds.length / 4);
});

test('the mask marks pixels of another colour than those around it', () => {
  for (const seed of seeds) {
    const drawing = draw(seed);
    const { x, y } = centre(drawing.mask);
    const near = (pixel: number) => Math.hypot((pixel % size) - x, Math.floor(pixel / size) - y) < 30;
    const inside = mean(drawing, (pixel) => drawing.mask[pixel] === 1);
    const around = mean(drawing, (pixel) => drawing.mask[pixel] === 0 && near(pixel));
    expect(Math.hypot(...inside.map((value, c) => value - (around[c] ?? 0))), `seed ${seed}`).toBeGreaterThan(
      40,
    );
  }
});

test('neighbouring seeds draw different pictures', () => {
  expect(draw(11).picture.data).not.toEqual(draw(12).picture.data);
});
