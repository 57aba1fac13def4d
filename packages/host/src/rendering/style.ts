import type { Style as ContractStyle, Visualization } from '@whylight/contract';
import {
  type Colormap,
  type FloatMap,
  floatMap,
  type HighlightOptions,
  percentiles,
} from '@whylight/core/image';

/** The style of the contract, except that its colour map may also be a table of colours, as the command line reads one. */
export interface Style extends Omit<ContractStyle, 'visualization'> {
  readonly visualization: StyledVisualization;
}

type StyledVisualization = Omit<Visualization, 'color_map'> & { readonly color_map: Colormap | null };

/** Whether the style keeps the method's own scaling: at most colours and their weight are others. */
export const keepsScaling = (visualization: StyledVisualization): boolean =>
  visualization.polarity === null &&
  visualization.clip_percent_lowerbound === null &&
  visualization.clip_percent_upperbound === null &&
  visualization.overlay_type === 'original' &&
  visualization.type === 'pixels';

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
export function computeHighlighting(
  values: FloatMap,
  isMap: boolean,
  visualization: StyledVisualization,
): Highlighting {
  const { clip_percent_lowerbound: lower, clip_percent_upperbound: upper } = visualization;
  const polarity = visualization.polarity ?? (isMap ? 'positive' : 'absolute');
  const signed = polarity === 'both';
  const colormap = visualization.color_map ?? (signed ? 'RdWhGn' : isMap ? 'jet' : 'viridis');
  const map = floatMap(values.width, values.height, values.data.map(parts[polarity]));
  const [from, highest] = percentiles(map.data, lower ?? 0, upper ?? 100);
  const to = highest > from ? highest : from + 1;
  const strengths = map.data.map(
    (value) => Math.sign(value) * Math.min(Math.max((Math.abs(value) - from) / (to - from), 0), 1),
  );
  return {
    map,
    options: {
      ...{ from, to, signed, colormap },
      opacity: visualization.opacity ?? 0.5,
      backdrop: visualization.overlay_type,
      outlines: visualization.type === 'outlines',
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
