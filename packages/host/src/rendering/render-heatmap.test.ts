import { floatMap } from '@whylight/core/image';
import { describe, expect, it } from 'vitest';
import { renderHeatmap } from './render-heatmap.ts';

const map = floatMap(2, 2, Float32Array.of(0, 0.2, 0.6, 1));

describe('renderHeatmap', () => {
  const title = ['Grad-CAM', '斑马 0.998'];

  it('keeps the region’s proportions, with room for title and scale', async () => {
    const { picture } = await renderHeatmap({ map, region: { width: 600, height: 400 }, title });
    expect(picture.width).toBeGreaterThan(650);
    expect(picture.width).toBeLessThan(800);
    expect(picture.height).toBeGreaterThan(450);
    expect(picture.height).toBeLessThan(550);
  });

  it('shows the bar’s ends in the colour map’s end colours', async () => {
    const constant = floatMap(1, 1, Float32Array.of(0.5));
    const { picture } = await renderHeatmap({ map: constant, region: { width: 400, height: 400 }, title });
    const colours = new Set<number>();
    for (let i = 0; i < picture.data.length; i += 3)
      colours.add((picture.data[i]! << 16) | (picture.data[i + 1]! << 8) | picture.data[i + 2]!);
    expect(colours.has(0x00007f)).toBe(true);
    expect(colours.has(0x7f0000)).toBe(true);
  });

  it('labels the scale with its own ends', async () => {
    const scale = async (minimum: number) =>
      (await renderHeatmap({ map, region: { width: 400, height: 400 }, title, minimum })).picture.data;
    expect(Buffer.compare(await scale(-1), await scale(-2))).not.toBe(0);
  });

  it('reports what its fonts lack', async () => {
    const { missing } = await renderHeatmap({ map, region: { width: 9, height: 9 }, title: ['a', '䴕'] });
    expect(missing).toEqual(['䴕']);
  });

  it('holds the size of narrow and of huge regions', async () => {
    for (const region of [
      { width: 2, height: 50_000 },
      { width: 9000, height: 9000 },
      { width: 0.4, height: 0.3 },
    ]) {
      const { picture } = await renderHeatmap({ map, region, title });
      expect(Math.max(picture.width, picture.height)).toBeLessThan(1250);
      expect(picture.width).toBeGreaterThanOrEqual(240);
    }
  });
});
