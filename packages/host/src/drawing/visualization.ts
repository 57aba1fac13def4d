import {
  type Backdrop,
  type Colormap,
  type FloatMap,
  floatMap,
  type HighlightOptions,
  percentiles,
} from '@whylight/core/image';

/** How pictures of an explanation differ from the method's own; what is left out stays. */
export interface Visualization {
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

/** Whether the method's own scaling applies: at most colours and their weight are others. */
export const isOwn = ({ polarity, clip, backdrop = 'original', outlines = false }: Visualization): boolean =>
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

/** How `values` are highlighted: per pixel sums of attributions, or a map where `isMap`. */
export function highlightOf(values: FloatMap, isMap: boolean, look: Visualization): Highlighting {
  const { polarity = isMap ? 'positive' : 'absolute', clip = [0, 100] } = look;
  const signed = polarity === 'both';
  const { colormap = signed ? 'RdWhGn' : isMap ? 'jet' : 'viridis' } = look;
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
      opacity: look.opacity ?? 0.5,
      backdrop: look.backdrop ?? 'original',
      outlines: look.outlines ?? false,
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
