import { blank, overlay } from '@whylight/core/drawing';
import { floatMap, type Picture } from '@whylight/core/image';
import { describe, expect, it } from 'vitest';

import { renderOverlay } from './render-overlay.ts';

const map = floatMap(2, 2, Float32Array.of(0, 0.2, 0.6, 1));
const rows = (picture: Picture, from: number, to: number, width = picture.width) =>
  Array.from({ length: to - from }, (_, y) =>
    picture.data.slice((from + y) * picture.width * 3, ((from + y) * picture.width + width) * 3),
  );

describe('renderOverlay', () => {
  const large = blank(400, 300, [90, 140, 60]);
  const region = { x: 50, y: 0, width: 300, height: 300 };

  it('keeps the photo’s size, with the caption in the top left corner and nothing else changed', async () => {
    const plain = overlay(large, map, region);
    const { picture, missing } = await renderOverlay({
      photo: large,
      map,
      region,
      caption: ['Pred: 斑马 0.998'],
    });
    expect(picture).toMatchObject({ width: 400, height: 300 });
    expect(missing).toEqual([]);
    const changed: [number, number][] = [];
    for (let i = 0; i < plain.data.length; i += 3)
      if (plain.data[i] !== picture.data[i]) changed.push([(i / 3) % 400, Math.trunc(i / 3 / 400)]);
    expect(Math.max(...changed.map(([, y]) => y))).toBeLessThan(45);
    expect(Math.max(...changed.map(([x]) => x))).toBeLessThan(200);
    expect(changed.length).toBeGreaterThan(1000);
  });

  it('writes light on dark, whatever lies below', async () => {
    for (const colour of [
      [255, 255, 255],
      [0, 0, 0],
    ] as const) {
      const photo = blank(400, 300, colour);
      const { picture } = await renderOverlay({ photo, map, region, caption: ['███ zebra'], alpha: 0.7 });
      const levels = rows(picture, 9, 30, 120).flatMap((row) => [...row]);
      expect(Math.max(...levels)).toBeGreaterThan(225);
      expect(Math.min(...levels)).toBeLessThan(100);
    }
  });

  it('draws different labels differently, Chinese ones too', async () => {
    const drawn = (caption: string) => renderOverlay({ photo: large, map, region, caption: [caption] });
    const [zebra, horse] = [await drawn('斑马'), await drawn('河马')];
    expect(Buffer.compare(zebra.picture.data, horse.picture.data)).not.toBe(0);
    // Two characters without glyphs are the same two boxes.
    const [one, other] = [await drawn('䴕䴕'), await drawn('🦓🦓')];
    expect(Buffer.compare(one.picture.data, other.picture.data)).toBe(0);
    expect(one.missing).toEqual(['䴕']);
  });

  it('puts the caption of a small photo below it and leaves the photo uncovered', async () => {
    const photo = blank(128, 128, [90, 140, 60]);
    const whole = { x: 0, y: 0, width: 128, height: 128 };
    const { picture } = await renderOverlay({
      photo,
      map,
      region: whole,
      caption: ['Pred: Egyptian cat 0.512', 'Show: triangle 0.102'],
    });
    expect(picture.height).toBeGreaterThan(128 + 25);
    expect(picture.width).toBeGreaterThanOrEqual(128);
    expect(rows(picture, 0, 128, 128)).toEqual(rows(overlay(photo, map, whole), 0, 128));
    expect(Math.max(...rows(picture, 128, picture.height).flatMap((row) => [...row]))).toBeGreaterThan(225);
  });

  it('adds nothing for want of a caption', async () => {
    const { picture } = await renderOverlay({ photo: large, map, region, caption: [] });
    expect(picture).toEqual(overlay(large, map, region));
  });

  it('D7: photos of one pixel and of one line', async () => {
    const caption = ['Pred: zebra 0.998'];
    for (const [width, height] of [
      [1, 1],
      [2, 5000],
      [5000, 2],
      [60_000, 260],
    ] as const) {
      const photo = blank(width, height, [0, 0, 0]);
      const { picture } = await renderOverlay({ photo, map, region: { x: 0, y: 0, width, height }, caption });
      expect(picture.width).toBeGreaterThanOrEqual(width);
    }
  });
});
