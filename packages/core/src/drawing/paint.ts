import { coverageOf, type FloatMap, floatMap, onPhoto, type Picture, type Region } from '../image/picture.ts';
import { minMax, range } from './attribution.ts';
import type { Colormap } from './colormaps.ts';
import { colorBar, heatmap } from './heatmap.ts';
import { composite, onWhite } from './layer.ts';
import { type Legend, legendOf } from './legend.ts';
import { overlay } from './overlay.ts';
import { palettes, rampBar, rampOf } from './ramp.ts';
import { type Explained, type ScaledAttribution, scaleAttribution } from './scale.ts';
import { keepsScaling, type Style } from './style.ts';
import { tickLabel } from './tick-label.ts';

export interface Scenery extends Explained {
  readonly photo: Picture;
  /** The region of the map on the photo. */
  readonly region: Region;
  /** The region that the network saw, if the map is stretched over another one. */
  readonly seen?: Region | undefined;
  /** Default: the method's own style. */
  readonly style?: Style | undefined;
  /** The magnitude at which colours are strongest, if frames share it; default: this attribution's own. */
  readonly end?: number | undefined;
}

/** The pictures of one explanation. All share one scale, which the legend states. */
export interface Painted {
  /** The photo with the map over it, without a caption. */
  readonly explained: Picture;
  /** Draws the whole map alone. */
  readonly alone: (width: number, height: number) => Picture;
  /** Draws the colours as an upright bar, the largest value on top. */
  readonly bar: (width: number, height: number) => Picture;
  readonly legend: Legend;
}

/** Weight of the strongest colour over the photo. */
const opacityOverPhoto = 0.8;

/** Draws an explanation over the photo and alone. */
export function paint(scenery: Scenery): Painted {
  const { photo, region, seen = region, style = {}, end } = scenery;
  const explained = paintOver(scenery);
  if (drawsAsLibrary(scenery, style)) return { explained, ...asLibrary(scenery, style) };
  const scaled = scaleAttribution(scenery, style, end);
  const ramp = rampOf(scaled.shown, 1, coloursOf(scenery, style));
  const coverage = coverageOf(photo, onPhoto(seen, photo));
  return {
    explained,
    alone: (width, height) =>
      onWhite(scaled, ramp, { width, height }, { contour: hasContour(scaled, style) }),
    bar: (width, height) => rampBar(ramp, scaled.shown, width, height),
    legend: legendOf(scaled, { language: style.language, coverage, contour: hasContour(scaled, style) }),
  };
}

/** Draws an explanation over the photo only. */
export function paintOver(scenery: Scenery): Picture {
  const { photo, region, style = {}, end } = scenery;
  if (drawsAsLibrary(scenery, style)) return overAsLibrary(scenery, style);
  const scaled = scaleAttribution(scenery, style, end);
  const ramp = rampOf(scaled.shown, style.opacity ?? opacityOverPhoto, coloursOf(scenery, style));
  return composite(photo, scaled, region, ramp, { ...style, contour: hasContour(scaled, style) });
}

/**
 * Whether a line shows where a map has half of its strength: a photo may have the colours of the map. Attributions of
 * single pixels would have a line around each, and a backdrop without colours needs none.
 */
const hasContour = (
  { isMap }: ScaledAttribution,
  { backdrop = 'original', outlines = false }: Style,
): boolean => isMap && backdrop === 'original' && !outlines;

const coloursOf = ({ convention }: Explained, { colormap }: Style) => ({
  palette: convention === 'captum' ? palettes.redGreen : palettes.orangePurple,
  colormap,
});

/**
 * Whether a map is drawn as the libraries of its convention draw maps, bit for bit: with a colour map that the style
 * names, or in torchcam's own. This drawing has its own scale for the overlay, which torchcam squares.
 */
export function drawsAsLibrary(explained: Explained, style: Style): boolean {
  const { isPixels, attribution, convention } = explained;
  const isMap = attribution.shape.length === 3 || (attribution.shape[1] === 1 && !isPixels);
  const isNamed =
    style.colormap !== undefined || convention === 'torchcam' || convention === 'pytorch-grad-cam';
  return isMap && isNamed && keepsScaling(style);
}

function overAsLibrary({ photo, region, end, ...explained }: Scenery, style: Style): Picture {
  const { over, alone } = mapsOf(explained, style);
  const weight = style.opacity === undefined ? {} : { alpha: 1 - style.opacity };
  const largest = alone.maximum;
  // Of frames that share a scale, each has the part of the strongest colour that its largest value has of the common one.
  const part = end === undefined || end === 0 ? 1 : Math.min(largest / end, 1);
  const shared =
    part === 1
      ? over
      : floatMap(
          over.width,
          over.height,
          over.data.map((value) => value * part),
        );
  return overlay(photo, shared, region, { colormap: alone.colormap, ...weight });
}

function asLibrary(explained: Explained, style: Style): Omit<Painted, 'explained'> {
  const { map, minimum, maximum, colormap } = mapsOf(explained, style).alone;
  const values = [maximum, (minimum + maximum) / 2, minimum];
  return {
    alone: (width, height) => heatmap(map, { width, height, colormap, minimum, maximum }),
    bar: (width, height) => colorBar(colormap, width, height),
    legend: { ticks: values.map((value, i) => ({ at: 1 - i / 2, text: tickLabel(value) })), notes: [] },
  };
}

/** A map with the values at the ends of its colours. */
interface ScaledMap {
  readonly map: FloatMap;
  readonly minimum: number;
  readonly maximum: number;
  readonly colormap: Colormap;
}

/** Makes the maps that the libraries draw: min-maxed over the photo, and alone with their own scale. */
function mapsOf(
  { attribution: { shape, data } }: Explained,
  { colormap = 'jet' }: Style,
): { over: FloatMap; alone: ScaledMap } {
  const [height, width] = shape.slice(-2) as [number, number];
  const map = floatMap(width, height, data);
  const [minimum, maximum] = range(data);
  const scale = minimum < maximum ? { minimum, maximum } : { minimum: 0, maximum: 1 };
  return { over: floatMap(width, height, minMax(data)), alone: { map, ...scale, colormap } };
}
