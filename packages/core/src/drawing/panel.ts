import { InputError } from '../errors.ts';
import { type FloatMap, type Picture, picture } from '../image/picture.ts';
import type { Sign } from './attribution.ts';
import { type Colormap, type ColormapName, colormaps, colourIndex, tableOf } from './colormaps.ts';

export const panelMethods = [
  'original_image',
  'heat_map',
  'blended_heat_map',
  'masked_image',
  'alpha_scaling',
] as const;
export type PanelMethod = (typeof panelMethods)[number];

export interface PanelOptions {
  readonly method: PanelMethod;
  readonly sign: Sign;
  /** Replaces the sign's own colours; the values at their ends stay the same. */
  readonly colormap?: Colormap | undefined;
  /** Weight of the heat map over the grey picture. */
  readonly alphaOverlay?: number | undefined;
}

/** Returns Captum's colours of a sign, and the values at their ends. */
export const scaleOf = (sign: Sign, colormap?: Colormap) => ({
  minimum: sign === 'all' ? -1 : 0,
  maximum: 1,
  colormap: colormap ?? signColours[sign],
});

const signColours: Readonly<Record<Sign, ColormapName>> = {
  all: 'RdWhGn',
  positive: 'Greens',
  negative: 'Reds',
  absolute: 'Blues',
};

/**
 * Draws one panel of Captum's `visualize_image_attr`: the pixels that it hands to matplotlib, in matplotlib's colours,
 * on white.
 *
 * - `heat_map`: the map in colours. `blended_heat_map`: the same over the picture's mean of channels, stretched from
 *   black to white.
 * - `masked_image`: trunc(picture · map). `alpha_scaling`: the picture with opacity trunc(255 map).
 *
 * @param map normalised (see `normalize`): -1..1 for sign all, else 0..1; of the picture's size.
 * @throws InputError invalid_parameter if a mask would need both signs, or sizes differ.
 */
export function panel(photo: Picture, map: FloatMap, options: PanelOptions): Picture {
  const { method, sign, alphaOverlay = 0.5 } = options;
  if (map.width !== photo.width || map.height !== photo.height)
    throw new InputError(
      'invalid_parameter',
      `panel: expected a map of ${photo.width}×${photo.height}, got ${map.width}×${map.height}`,
    );
  if (sign === 'all' && (method === 'masked_image' || method === 'alpha_scaling'))
    throw new InputError(
      'invalid_parameter',
      `panel ${method}: expected sign positive, negative or absolute, got all`,
    );
  const colours = heatColours(map, scaleOf(sign, options.colormap));
  const grey = method === 'blended_heat_map' ? stretchedGrey(photo) : null;
  const pixel: Record<PanelMethod, (i: number, p: number) => number> = {
    original_image: (i) => photo.data[i]!,
    heat_map: (i) => colours[i]!,
    blended_heat_map: (i, p) => colours[i]! * alphaOverlay + grey![p]! * (1 - alphaOverlay),
    masked_image: (i, p) => Math.trunc(photo.data[i]! * map.data[p]!),
    alpha_scaling: (i, p) => over(photo.data[i]!, Math.trunc(map.data[p]! * 255) / 255),
  };
  const of = pixel[method];
  const data = Uint8Array.from(photo.data, (_, i) => Math.round(of(i, Math.trunc(i / 3))));
  return picture(photo.width, photo.height, data);
}

function heatColours({ data }: FloatMap, { minimum, maximum, colormap }: ReturnType<typeof scaleOf>) {
  const table = tableOf(colormap);
  const colours = new Uint8Array(data.length * 3);
  data.forEach((value, p) => {
    const at = colourIndex((value - minimum) / (maximum - minimum)) * 3;
    colours.set(table.subarray(at, at + 3), p * 3);
  });
  return colours;
}

/** Computes the mean of the channels as matplotlib's grey map shows it, from its smallest value to its largest. */
function stretchedGrey({ data }: Picture): Uint8Array {
  const means = Float64Array.from(
    { length: data.length / 3 },
    (_, p) => (data[p * 3]! + data[p * 3 + 1]! + data[p * 3 + 2]!) / 3,
  );
  const [least, most] = means.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [255, 0] as [
    number,
    number,
  ]);
  return Uint8Array.from(means, (v) => colormaps.gray[colourIndex((v - least) / (most - least || 1)) * 3]!);
}

const over = (colour: number, opacity: number): number => colour * opacity + 255 * (1 - opacity);
