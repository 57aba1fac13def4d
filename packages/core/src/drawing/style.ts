import { type FloatMap, floatMap } from '../image/picture.ts';
import type { Colormap } from './colormaps.ts';
import { type Backdrop, type HighlightOptions, percentiles } from './highlight.ts';

/** The look of a drawn explanation; members that are left out have the method's own values. */
export interface Style {
  /** Language of class names and captions; default: English. */
  readonly language?: 'en' | 'zh' | undefined;
  /** Attributions that count: for the class, against it, both in different colours, or all by magnitude. */
  readonly polarity?: 'positive' | 'negative' | 'both' | 'absolute' | undefined;
  readonly colormap?: Colormap | undefined;
  /** Weight of the colours over the photo, 0 < opacity ≤ 1. */
  readonly opacity?: number | undefined;
  /** Percentiles of the magnitudes between which the colours lie; magnitudes below are not highlighted. */
  readonly clip?: readonly [lower: number, upper: number] | undefined;
  readonly backdrop?: Backdrop | undefined;
  readonly outlines?: boolean | undefined;
}

/** Tells whether the style keeps the method's own scaling: it changes at most the colours and their weight. */
export const keepsScaling = ({ polarity, clip, backdrop = 'original', outlines = false }: Style): boolean =>
  polarity === undefined && clip === undefined && backdrop === 'original' && !outlines;

export interface Highlighting {
  readonly map: FloatMap;
  readonly options: HighlightOptions;
  /** The heat map of the same values, for a scale beside it: 0..1, or -1..1 with both polarities. */
  readonly alone: {
    readonly map: FloatMap;
    readonly minimum: number;
    readonly maximum: number;
    readonly colormap: Colormap;
  };
}

/** Computes how to highlight `values`: sums of attributions for each pixel, or a map if `isMap`. */
export function computeHighlighting(values: FloatMap, isMap: boolean, style: Style): Highlighting {
  const { polarity = isMap ? 'positive' : 'absolute', clip = [0, 100] } = style;
  const signed = polarity === 'both';
  const { colormap = signed ? 'RdWhGn' : isMap ? 'jet' : 'viridis' } = style;
  const map = floatMap(values.width, values.height, values.data.map(parts[polarity]));
  const [from, highest] = percentiles(map.data, ...clip);
  const to = highest > from ? highest : from + 1;
  const strengths = map.data.map(
    (value) => Math.sign(value) * Math.min(Math.max((Math.abs(value) - from) / (to - from), 0), 1),
  );
  return {
    map,
    options: {
      ...{ from, to, signed, colormap },
      opacity: style.opacity ?? 0.5,
      backdrop: style.backdrop ?? 'original',
      outlines: style.outlines ?? false,
    },
    alone: {
      map: floatMap(map.width, map.height, strengths),
      minimum: signed ? -1 : 0,
      maximum: 1,
      colormap,
    },
  };
}

const parts = {
  positive: (value: number) => Math.max(value, 0),
  negative: (value: number) => Math.max(-value, 0),
  both: (value: number) => value,
  absolute: Math.abs,
};
