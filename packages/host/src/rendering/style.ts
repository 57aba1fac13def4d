import type { Style as ContractStyle, Visualization } from '@whylight/contract';
import type { Colormap, Style as PaintStyle } from '@whylight/core/drawing';

/** The style of the contract, except that its colour map may also be a table of colours, as the command line reads one. */
export interface Style extends Omit<ContractStyle, 'visualization'> {
  readonly visualization: Omit<Visualization, 'color_map'> & { readonly color_map: Colormap | null };
}

/** Translates a style into the options of the engine. This is the only place that knows both. */
export function paintStyleOf({ visualization, language }: Style): PaintStyle {
  const { clip_percent_lowerbound: lower, clip_percent_upperbound: upper } = visualization;
  return {
    language,
    polarity: visualization.polarity ?? undefined,
    colormap: visualization.color_map ?? undefined,
    opacity: visualization.opacity ?? undefined,
    clip: lower === null && upper === null ? undefined : [lower ?? 0, upper ?? 100],
    backdrop: visualization.overlay_type,
    outlines: visualization.type === 'outlines',
  };
}
