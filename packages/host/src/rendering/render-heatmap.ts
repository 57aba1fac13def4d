import {
  type Colormap,
  colorBar,
  type HeatmapLayout,
  heatmap,
  layOutHeatmap,
  tickLabel,
} from '@whylight/core/drawing';
import type { FloatMap } from '@whylight/core/image';
import { drawMarks } from './draw-marks.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { measureText } from './text.ts';

export interface HeatmapInput extends Pick<HeatmapLayout, 'region' | 'shown' | 'title'> {
  readonly map: FloatMap;
  readonly colormap?: Colormap;
  /** Values at the ends of the colours, which are also the labels of the colour bar. Default: 0 and 1. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Renders the map in colours on white, with its title above and a colour bar with values to the right. */
export function renderHeatmap({
  map,
  colormap = 'jet',
  minimum = 0,
  maximum = 1,
  ...layout
}: HeatmapInput): Promise<RenderedPicture> {
  const values = [maximum, (minimum + maximum) / 2, minimum];
  return renderHeatmapLayout({
    ...layout,
    alone: (width, height) => heatmap(map, { width, height, colormap, minimum, maximum }),
    bar: (width, height) => colorBar(colormap, width, height),
    legend: { ticks: values.map((value, i) => ({ at: 1 - i / 2, text: tickLabel(value) })), notes: [] },
  });
}

export const renderHeatmapLayout = (layout: HeatmapLayout): Promise<RenderedPicture> =>
  drawMarks(layOutHeatmap(layout, measureText));
