import type { Picture } from '../image/picture.ts';

/** Pixels, and what is drawn onto them: text needs fonts, which a server and a page have in different forms. */
export interface Drawing {
  readonly picture: Picture;
  readonly marks: readonly Mark[];
}

export type Mark = RectangleMark | TextMark;

interface Paint {
  readonly colour: string;
  /** 0 to 1. */
  readonly opacity: number;
}

export interface RectangleMark {
  readonly type: 'rectangle';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill?: Paint | undefined;
  /** A line one pixel wide. */
  readonly stroke?: Paint | undefined;
  /** Radius of the corners. */
  readonly radius?: number | undefined;
}

/** A line of text that starts at x, with its baseline at y. */
export interface TextMark {
  readonly type: 'text';
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Pixels per em. */
  readonly size: number;
  readonly colour: string;
}

/** Measures a line of text of a size in pixels per em, in the font in which it will be drawn. */
export type MeasureText = (text: string, size: number) => number;

/** Dark ink for text on white, and a paler one for what explains it. */
export const ink = '#1c2024';
export const paleInk = '#5c6670';

/** A thin line inside the edge of a field, so that its edge is visible at pale colours, too. */
export const frame = (x: number, y: number, width: number, height: number): RectangleMark => ({
  ...{ type: 'rectangle', x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1 },
  stroke: { colour: '#000', opacity: 0.25 },
});
