import { cutOut, type Picture, type Region } from '../image/picture.ts';
import { blank, place } from './canvas.ts';
import type { Legend } from './legend.ts';
import { type Drawing, frame, ink, type MeasureText, paleInk } from './marks.ts';
import { fitText, setBlock } from './text-lines.ts';

export interface HeatmapLayout {
  /** Draws the whole map in colours. */
  readonly alone: (width: number, height: number) => Picture;
  /** Draws the colour bar, upright. */
  readonly bar: (width: number, height: number) => Picture;
  readonly legend: Legend;
  /** The part of the photo that the map covers. It determines proportions and size of the heat map. */
  readonly region: Pick<Region, 'width' | 'height'>;
  /** The part of the region to show, in its pixels: the part that lies on the photo. Omitted: all of it. */
  readonly shown?: Region | undefined;
  /** The method, then the class that it explains. */
  readonly title: readonly string[];
}

/** The least and the largest side of the heat map. Between them it has the size of the region. */
const smallest = 320;
const largest = 1024;
/** The least width, so that a title fits above a narrow map. */
export const narrowest = 240;

/** Lays out the map in colours on white: its title above, a colour bar with values to the right, the legend below. */
export function layOutHeatmap(
  { alone, bar, legend, region, shown = { x: 0, y: 0, ...region }, title }: HeatmapLayout,
  measure: MeasureText,
): Drawing {
  const { width, height } = heatmapSize(shown);
  const size = Math.round(Math.min(Math.max(height * 0.042, 14), 26));
  const pad = size;
  const barWidth = Math.round(size * 1.1);
  const tickSize = size * 0.85;
  const ticks = legend.ticks.map(({ at, text }) => ({ at, ...fitText(text, tickSize, 200, measure) }));
  const ticksWidth = Math.ceil(Math.max(...ticks.map((tick) => tick.width)));
  const right = Math.round(size * 0.8) + barWidth + Math.round(size * 0.5) + ticksWidth;
  const total = Math.max(pad + width + right + pad, narrowest);

  const [head, ...rest] = title;
  const heading = setBlock(head === undefined ? [] : [head], size * 1.15, total - 2 * pad, measure);
  const about = setBlock(rest, size * 0.95, total - 2 * pad, measure);
  const notes = setBlock(legend.notes, tickSize, total - 2 * pad, measure);
  const top = Math.round(pad + (title.length > 0 ? heading.height + about.height + size * 0.5 : 0));
  const below = legend.notes.length > 0 ? Math.round(notes.height + size * 0.5) : 0;
  const canvas = blank(total, top + height + below + pad, [255, 255, 255]);
  const [across, down] = [width / shown.width, height / shown.height];
  const whole = alone(
    Math.max(Math.round(region.width * across), 1),
    Math.max(Math.round(region.height * down), 1),
  );
  const part = { x: Math.round(shown.x * across), y: Math.round(shown.y * down), width, height };
  place(canvas, cutOut(whole, part), pad, top);
  const barLeft = pad + width + Math.round(size * 0.8);
  place(canvas, bar(barWidth, height), barLeft, top);

  const tickMarks = ticks.map(({ at, text }) => {
    const y = top + height * (1 - at);
    const middle = Math.min(Math.max(y + tickSize * 0.36, top + tickSize * 0.74), top + height);
    const x = barLeft + barWidth + size * 0.5;
    return { type: 'text' as const, text, x, y: middle, size: tickSize, colour: ink };
  });
  return {
    picture: canvas,
    marks: [
      ...heading.marks(pad, pad * 0.8, ink),
      ...about.marks(pad, pad * 0.8 + heading.height, paleInk),
      frame(pad, top, width, height),
      frame(barLeft, top, barWidth, height),
      ...tickMarks,
      ...notes.marks(pad, top + height + size * 0.5, paleInk),
    ],
  };
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
