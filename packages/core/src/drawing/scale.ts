import { type FloatMap, floatMap } from '../image/picture.ts';
import type { Tensor } from '../tensor.ts';
import { range } from './attribution.ts';
import type { Style } from './style.ts';

/** One explanation, and the meaning of its numbers. */
export interface Explained {
  /** A map [1, h, w] or [1, 1, h, w], or a value per pixel and channel. */
  readonly attribution: Tensor<'float32'>;
  /** The network's layout. */
  readonly layout: 'NCHW' | 'NHWC';
  /** Whether the method gives a value per pixel and channel, and not a map. */
  readonly isPixels: boolean;
  /** Whether the attributions of all pixels add up to the score, less that of a baseline. */
  readonly addsUp?: boolean | undefined;
  /** The library whose numbers these are; default: paper. */
  readonly convention?: string | undefined;
}

/** What the colours show: for and against the class, one of both, or a magnitude without a sign. */
export type Shown = 'both' | 'for' | 'against' | 'magnitude';

/** `score`: what a pixel adds to the score. `share`: the part of the map's largest value. `own`: the method's own unit. */
export type Unit = 'score' | 'share' | 'own';

/** An attribution and its scale. Overlay, heat map and legend of one explanation have the same one. */
export interface ScaledAttribution {
  /** The method's own numbers: sums over the channels, or the map. */
  readonly values: FloatMap;
  readonly shown: Shown;
  readonly unit: Unit;
  /** The magnitude from which colours are strongest. */
  readonly end: number;
  /** The percentile of the magnitudes at which `end` lies; 100: no magnitude is larger. */
  readonly endPercentile: number;
  /** Magnitudes up to this one are hidden; 0 hides nothing. */
  readonly hiddenTo: number;
  readonly hiddenPercentile: number;
  /** Whether the values are a map, smooth enough for a line at half of its strength. */
  readonly isMap: boolean;
}

/** Scattered attributions of pixels have few extreme values. Without a clip these leave nothing else to see. */
const pixelPercentile = 99;
/** Below this, a map is noise of the arithmetic; torchcam's scaling has the same number. */
const leastEnd = 1e-8;

/**
 * Finds the scale of an attribution: `strength = clamp(value / end, -1, 1)`. Zero is nothing: it has no colour. The style's
 * lower clip hides what is weak, and changes no colour of the rest.
 *
 * @param end the magnitude at which colours are strongest, if other attributions share it: frames of a video
 */
export function scaleAttribution(
  explained: Explained,
  style: Pick<Style, 'polarity' | 'clip'> = {},
  end?: number,
): ScaledAttribution {
  const { values: all, isMap } = valuesOf(explained);
  const isSigned = range(all.data)[0] < 0;
  const shown = shownBy(style.polarity, isSigned, isMap);
  const values = floatMap(all.width, all.height, all.data.map(partOf[shown]));
  const [hiddenPercentile, endPercentile] = style.clip ?? [0, isMap ? 100 : pixelPercentile];
  const [hiddenTo, clipped] = percentiles(values.data, hiddenPercentile, endPercentile);
  const [least, most] = range(values.data);
  const largest = Math.max(-least, most);
  // If few pixels count, most magnitudes are zero.
  const own = clipped > 0 ? clipped : largest;
  return {
    ...{ values, shown, hiddenTo, hiddenPercentile, isMap },
    unit: explained.addsUp ? 'score' : isMap && isMinMaxed(all) ? 'share' : 'own',
    end: end ?? (isMap ? Math.max(own, leastEnd) : own),
    endPercentile: own < largest || end !== undefined ? endPercentile : 100,
  };
}

/** Reads an attribution as one value for each pixel: the sum over the channels, or the map as it is. */
export function valuesOf({ attribution, layout: given, isPixels }: Explained): {
  readonly values: FloatMap;
  readonly isMap: boolean;
} {
  const { shape, data } = attribution;
  // For a grey image, attributions of pixels have the shape of a map.
  const isMap = shape.length === 3 || (shape[1] === 1 && !isPixels);
  if (isMap) {
    const [height, width] = shape.slice(-2) as [number, number];
    return { values: floatMap(width, height, data), isMap };
  }
  // pytorch-grad-cam's guided backpropagation puts the channels last, whatever the model takes.
  const isLast = given === 'NHWC' || (shape[3]! <= 4 && shape[1]! > 4);
  const [channels, height, width] = (
    isLast ? [shape[3], shape[1], shape[2]] : [shape[1], shape[2], shape[3]]
  ) as [number, number, number];
  const size = height * width;
  const sums = new Float32Array(size);
  for (let i = 0; i < data.length; i++) sums[isLast ? Math.trunc(i / channels) : i % size]! += data[i]!;
  return { values: floatMap(width, height, sums), isMap };
}

function shownBy(polarity: Style['polarity'], isSigned: boolean, isMap: boolean): Shown {
  if (polarity === 'positive') return 'for';
  if (polarity === 'negative') return 'against';
  if (polarity === 'absolute') return 'magnitude';
  if (isSigned) return 'both';
  // A map without a sign marks what speaks for the class; a gradient's magnitude says nothing of a direction.
  return isMap ? 'for' : 'magnitude';
}

const partOf: Readonly<Record<Shown, (value: number) => number>> = {
  both: (value) => value,
  for: (value) => Math.max(value, 0),
  against: (value) => Math.min(value, 0),
  magnitude: Math.abs,
};

function isMinMaxed({ data }: FloatMap): boolean {
  const [minimum, maximum] = range(data);
  return minimum >= 0 && Math.abs(maximum - 1) < 0.01;
}

/** Finds the magnitudes that `lower` and `upper` percent of all values do not exceed, by nearest rank. */
export function percentiles(values: Float32Array, lower: number, upper: number): [number, number] {
  const magnitudes = values.map(Math.abs).sort();
  const at = (percent: number) =>
    percent <= 0 ? 0 : (magnitudes[Math.ceil((percent / 100) * magnitudes.length) - 1] ?? 0);
  return [at(lower), at(upper)];
}
