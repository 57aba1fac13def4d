import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { floatMap, picture } from '../image/picture.ts';
import { float32 } from '../tensor.ts';
import { pixelsToMap, type Sign, signs } from './attribution.ts';
import { colormaps } from './colormaps.ts';
import { panel, panelMethods } from './panel.ts';

// Panels of Captum and matplotlib; how they were made is told in the file.
const captum = JSON.parse(readFileSync(new URL('captum-panels.json', import.meta.url), 'utf8'));
const values = Array.from({ length: 90 }, (_, i) => Math.sin(1.7 * i) * (1 + 0.3 * Math.cos(i)));
const attribution = float32([1, 5, 6, 3], values);
const photo = picture(
  6,
  5,
  Uint8Array.from({ length: 90 }, (_, i) => (37 * i * i + 11 * i) % 256),
);
const mapOf = (sign: Sign) => pixelsToMap(attribution, { sign, layout: 'NHWC' });

const worst = (a: Uint8Array, b: readonly number[]) =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]!)));

describe('as Captum draws it, within a grey level', () => {
  it.each(panelMethods.flatMap((method) => signs.map((sign) => [method, sign] as const)))(
    '%s, sign %s',
    (method, sign) => {
      const theirs = captum[`${method}.${sign === 'absolute' ? 'absolute_value' : sign}.default`];
      const ours = () => panel(photo, mapOf(sign), { method, sign });
      if (theirs === null) expect(ours).toThrow(/expected sign positive, negative or absolute, got all/);
      else expect(worst(ours().data, theirs)).toBeLessThanOrEqual(1);
    },
  );

  it.each(['heat_map', 'blended_heat_map'] as const)('%s in a custom blue', (method) => {
    const ours = panel(photo, mapOf('positive'), { method, sign: 'positive', colormap: 'custom-blue' });
    expect(worst(ours.data, captum[`${method}.positive.custom-blue`])).toBeLessThanOrEqual(1);
  });
});

it('custom blue is the table that matplotlib makes', () => {
  expect(Array.from(colormaps['custom-blue'])).toEqual(captum.customBlue);
});

it('the heat map weighs what it is told', () => {
  const [none, all] = [0, 1].map(
    (alphaOverlay) =>
      panel(photo, mapOf('positive'), { method: 'blended_heat_map', sign: 'positive', alphaOverlay }).data,
  );
  expect(all).toEqual(panel(photo, mapOf('positive'), { method: 'heat_map', sign: 'positive' }).data);
  expect(none!.every((v, i) => v === none![i - (i % 3)])).toBe(true);
});

it('refuses a map of another size', () => {
  const small = floatMap(1, 1, Float32Array.of(0));
  expect(() => panel(photo, small, { method: 'heat_map', sign: 'all' })).toThrow(/a map of 6×5, got 1×1/);
});
