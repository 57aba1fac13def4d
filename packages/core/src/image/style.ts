import type { Colormap } from './colormaps.ts';
import { type Backdrop, type HighlightOptions, percentiles } from './highlight.ts';
import { type FloatMap, floatMap } from './picture.ts';

/** How a rendering of an explanation looks; what is left out stays as the method has it. */
export interface Style {
  /** Of class names and captions; English if not said. */
  readonly language?: 'en' | 'zh' | undefined;
  /** Which attributions count: for the class, against it, both in colours of their own, or by magnitude. */
  readonly polarity?: 'positive' | 'negative' | 'both' | 'absolute' | undefined;
  readonly colormap?: Colormap | undefined;
  /** Of the colours over the photo, 0 < opacity ≤ 1. */
  readonly opacity?: number | undefined;
  /** Percentiles of the magnitudes between which the colours lie; what is below is not highlighted. */
  readonly clip?: readonly [lower: number, upper: number] | undefined;
  readonly backdrop?: Backdrop | undefined;
  readonly outlines?: boolean | undefined;
}

/** Whether the style keeps the method's own scaling: at most colours and their weight are others. */
export const keepsScaling = ({ polarity, clip, backdrop = 'original', outlines = false }: Style): boolean =>
  polarity === undefined && clip === undefined && backdrop === 'original' && !outlines;

export interface Highlighting {
  readonly map: FloatMap;
  readonly options: HighlightOptions;
  /** The heat map of the same, for a scale beside it: 0..1, or -1..1 with both polarities. */
  readonly alone: {
    readonly map: FloatMap;
    readonly minimum: number;
    readonly maximum: number;
    readonly colormap: Colormap;
  };
}

/** Computes how to highlight `values`: sums of attributions for each pixel, or a map where `isMap`. */
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
