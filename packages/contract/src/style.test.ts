import { expect, test } from 'vitest';
import { renderKey } from './cache-key.ts';
import { drawingVersion, ownStyle, styleOf, styleSchema, type Visualization } from './style.ts';

const own = ownStyle().visualization;
const styled = (change: Partial<Visualization>, isPixels = false) =>
  styleOf({ ...own, ...change }, 'en', isPixels);
const key = 'a'.repeat(64);

test('pictures in the libraries’ own drawing keep the keys of earlier releases', async () => {
  const named = styled({ color_map: 'jet', opacity: 0.3 });
  expect(named).toEqual({ visualization: { ...own, color_map: 'jet', opacity: 0.3 }, language: 'en' });
  // Recorded before styles had a version of the drawing.
  expect(await renderKey(key, styled({ color_map: 'jet' }))).toBe(
    'c06c6eff5edf766573855378317187e34f00b4babba99478cae32c8027fb0318',
  );
});

test.each([
  ['the method’s own style', {}, false],
  ['an opacity alone', { opacity: 0.3 }, false],
  [
    'a hidden weaker part, in a named colour map too',
    { color_map: 'jet', clip_percent_lowerbound: 60 },
    false,
  ],
  ['outlines', { type: 'outlines' }, false],
  ['a named colour map for attributions of pixels', { color_map: 'jet' }, true],
] as const)(
  '%s has the version of the drawing, and so another key than before',
  async (_, change, isPixels) => {
    const style = styled(change, isPixels);
    expect(style.drawing).toBe(drawingVersion);
    expect(styleSchema.parse(style)).toEqual(style);
    const { drawing: _version, ...before } = style;
    expect(await renderKey(key, style)).not.toBe(await renderKey(key, before));
  },
);
