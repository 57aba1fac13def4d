import { type Picture, picture } from '../image/picture.ts';
import { type Colormap, colourIndex, tableOf } from './colormaps.ts';
import type { Shown } from './scale.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Colours of what speaks for the class, of what speaks against it, and of a magnitude without a sign. */
export interface Palette {
  readonly for: Rgb;
  readonly against: Rgb;
  readonly magnitude: Rgb;
}

/**
 * `orangePurple` can be told apart with every colour vision (docs/decisions/0054); `redGreen` has the colours that Captum
 * has for the same three, and only Captum's convention has it.
 */
export const palettes = {
  orangePurple: { for: [230, 97, 0], against: [93, 58, 155], magnitude: [0, 140, 140] },
  redGreen: { for: [0, 128, 0], against: [255, 0, 0], magnitude: [8, 48, 107] },
} as const satisfies Record<string, Palette>;

/** Steps of a ramp on each side of nothing. */
const steps = 255;

/** Colours with their opacity for strengths from -1 to 1: 511 RGBA entries. The entry of strength 0 is transparent. */
export type Ramp = Uint8ClampedArray;

/**
 * Computes the colours of all strengths: the opacity grows from nothing with the strength, up to `opacity`. A colour map
 * replaces the palette's colours: with both signs from end to end, else from its beginning.
 */
export function rampOf(
  shown: Shown,
  opacity: number,
  { palette = palettes.orangePurple, colormap }: { palette?: Palette; colormap?: Colormap | undefined } = {},
): Ramp {
  const ramp = new Uint8ClampedArray((2 * steps + 1) * 4);
  for (let entry = 0; entry <= 2 * steps; entry++) {
    const strength = (entry - steps) / steps;
    if (!isShown(shown, strength)) continue;
    const colour = colormap ? colourIn(colormap, shown, strength) : palette[sideOf(shown, strength)];
    ramp.set([...colour, opacity * Math.abs(strength) * 255], entry * 4);
  }
  return ramp;
}

/** Where the colour of a strength begins in a ramp. */
export const rampIndex = (strength: number): number =>
  Math.round(Math.min(Math.max(strength, -1), 1) * steps + steps) * 4;

/** A map is enlarged by a filter that overshoots: beside a peak it may get the other sign, which it does not have. */
const isShown = (shown: Shown, strength: number): boolean =>
  shown === 'both' || (shown === 'against' ? strength <= 0 : strength >= 0);

const sideOf = (shown: Shown, strength: number): keyof Palette =>
  shown === 'both' ? (strength < 0 ? 'against' : 'for') : shown;

function colourIn(colormap: Colormap, shown: Shown, strength: number): Uint8Array {
  const at = colourIndex(shown === 'both' ? (strength + 1) / 2 : Math.abs(strength)) * 3;
  return tableOf(colormap).subarray(at, at + 3);
}

/** Draws a ramp over white as an upright bar, the largest value on top. */
export function rampBar(ramp: Ramp, shown: Shown, width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const part = (height - 0.5 - y) / height;
    const at = rampIndex(shown === 'both' ? 2 * part - 1 : shown === 'against' ? part - 1 : part);
    const opacity = ramp[at + 3]! / 255;
    const colour = [0, 1, 2].map((c) => Math.round(255 * (1 - opacity) + ramp[at + c]! * opacity));
    for (let x = 0; x < width; x++) data.set(colour, (y * width + x) * 3);
  }
  return picture(width, height, data);
}
