import { type Colormap, colorBar, heatmap } from '@whylight/core/drawing';
import { cutOut, type FloatMap, type Region } from '@whylight/core/image';
import { blank, drawShapes, place, textShape } from './draw.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { fitText } from './text.ts';
import { setBlock } from './text-block.ts';
import { tickLabel } from './tick-label.ts';

export interface HeatmapInput {
  readonly map: FloatMap;
  /** The part of the photo that the map covers. It determines proportions and size of the heat map. */
  readonly region: Pick<Region, 'width' | 'height'>;
  /** The part of the region to show, in its pixels: the part that lies on the photo. Omitted: all of it. */
  readonly shown?: Region | undefined;
  readonly colormap?: Colormap;
  /** Values at the ends of the colours, which are also the labels of the colour bar. Default: 0 and 1. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** The method, then the class that it explains. */
  readonly title: readonly string[];
}

/** The least and the largest side of the heat map. Between them it has the size of the region. */
const smallest = 320;
const largest = 1024;
/** The least width, so that the title fits above the map of a very narrow photo. */
const narrowest = 240;

const ink = '#1c2024';
const paleInk = '#5c6670';

/** Renders the map in colours on white, with its title above and a colour bar with values to the right. */
export async function renderHeatmap({
  map,
  region,
  shown = { x: 0, y: 0, width: region.width, height: region.height },
  title,
  colormap = 'jet',
  minimum = 0,
  maximum = 1,
}: HeatmapInput): Promise<RenderedPicture> {
  const { width, height } = heatmapSize(shown);
  const size = Math.round(Math.min(Math.max(height * 0.042, 14), 26));
  const pad = size;
  const barWidth = Math.round(size * 1.1);
  const ticks = [maximum, (minimum + maximum) / 2, minimum].map((value) =>
    fitText(tickLabel(value), size * 0.85, 200),
  );
  const ticksWidth = Math.ceil(Math.max(...ticks.map((tick) => tick.width)));
  const right = Math.round(size * 0.8) + barWidth + Math.round(size * 0.5) + ticksWidth;
  const total = Math.max(pad + width + right + pad, narrowest);

  const [head, ...rest] = title;
  const heading = setBlock(head === undefined ? [] : [head], size * 1.15, total - 2 * pad);
  const about = setBlock(rest, size * 0.95, total - 2 * pad);
  const top = Math.round(pad + (title.length > 0 ? heading.height + about.height + size * 0.5 : 0));
  const canvas = blank(total, top + height + pad, [255, 255, 255]);
  const [across, down] = [width / shown.width, height / shown.height];
  const whole = heatmap(map, {
    width: Math.max(Math.round(region.width * across), 1),
    height: Math.max(Math.round(region.height * down), 1),
    ...{ colormap, minimum, maximum },
  });
  const part = { x: Math.round(shown.x * across), y: Math.round(shown.y * down), width, height };
  place(canvas, cutOut(whole, part), pad, top);
  const barLeft = pad + width + Math.round(size * 0.8);
  place(canvas, colorBar(colormap, barWidth, height), barLeft, top);

  const tickSize = size * 0.85;
  const tickShapes = ticks.map((tick, i) => {
    const y = top + (height * i) / 2;
    const middle = Math.min(Math.max(y + tickSize * 0.36, top + tickSize * 0.74), top + height);
    return textShape(tick, barLeft + barWidth + size * 0.5, middle, ink);
  });
  const shapes = [
    heading.shapes(pad, pad * 0.8, ink),
    about.shapes(pad, pad * 0.8 + heading.height, paleInk),
    frame(pad, top, width, height),
    frame(barLeft, top, barWidth, height),
    ...tickShapes,
  ].join('');
  await drawShapes(canvas, shapes, { left: 0, top: 0, width: canvas.width, height: canvas.height });
  return { picture: canvas, missing: [...new Set([...heading.missing, ...about.missing])] };
}

function heatmapSize(region: Pick<Region, 'width' | 'height'>): { width: number; height: number } {
  const short = Math.min(region.width, region.height);
  const long = Math.max(region.width, region.height);
  const scale = Math.min(Math.max(1, smallest / short), largest / long);
  return {
    width: Math.max(Math.round(region.width * scale), 1),
    height: Math.max(Math.round(region.height * scale), 1),
  };
}

/** Draws a thin line inside the edge of a field, so that its edge is visible at pale colours, too. */
const frame = (x: number, y: number, width: number, height: number): string =>
  `<rect x="${x + 0.5}" y="${y + 0.5}" width="${width - 1}" height="${height - 1}" fill="none" stroke="#000" stroke-opacity="0.25"/>`;
