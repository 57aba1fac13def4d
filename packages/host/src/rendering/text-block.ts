import { textShape } from './draw.ts';
import { ascent, descent, fitText, type TextLine } from './text.ts';

/** Lines of text below each other. */
export interface Block {
  readonly width: number;
  readonly height: number;
  readonly missing: readonly string[];
  /** Returns the lines as shapes, with the block's top left corner at (x, y). */
  shapes(x: number, y: number, colour: string): string;
}

/** Sets lines of one size below each other, each at most `maximum` pixels wide. */
export function setBlock(texts: readonly string[], size: number, maximum: number): Block {
  const lines: TextLine[] = texts.map((text) => fitText(text, size, maximum));
  const leading = size * (ascent + descent) * 1.15;
  return {
    width: Math.max(0, ...lines.map((line) => line.width)),
    height: lines.length * leading,
    missing: [...new Set(lines.flatMap((line) => line.missing))],
    shapes: (x, y, colour) =>
      lines
        .map((line, i) =>
          textShape(line, x, y + i * leading + (leading + size * (ascent - descent)) / 2, colour),
        )
        .join(''),
  };
}
