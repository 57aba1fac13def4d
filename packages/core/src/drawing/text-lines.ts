import type { MeasureText, TextMark } from './marks.ts';

/** From the baseline up to the top of capitals and Chinese characters, and down to the descenders, per em. */
export const ascent = 0.86;
export const descent = 0.24;

/** A text that has its width. */
export interface FittedText {
  readonly text: string;
  readonly width: number;
}

/** Writes a text as it is drawn: control characters and line breaks become spaces. */
export const cleanText = (text: string): string => text.normalize('NFC').replaceAll(/\p{C}+|\s+/gu, ' ');

/**
 * Shortens a line to at most `maximum` pixels. An ellipsis replaces what does not fit. If the line ends in a number, the
 * ellipsis comes before the number, and before the word "score", because the number is the result of the network.
 */
export function fitText(text: string, size: number, maximum: number, measure: MeasureText): FittedText {
  const of = (line: string): FittedText => ({ text: line, width: measure(line, size) });
  const whole = of(cleanText(text));
  if (whole.width <= maximum) return whole;
  const [, head, number = ''] = /^(.*?)((?:, score|，得分)?\s-?\d[\d.]*%?)?$/s.exec(whole.text)!;
  const characters = [...head!];
  const shortened = (length: number): FittedText =>
    of(`${characters.slice(0, length).join('').trimEnd()}…${number}`);
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (shortened(middle).width <= maximum) low = middle;
    else high = middle - 1;
  }
  return shortened(low);
}

/** Lines of text below each other. */
export interface TextBlock {
  readonly width: number;
  readonly height: number;
  /** The lines with the block's top left corner at (x, y). */
  readonly marks: (x: number, y: number, colour: string) => TextMark[];
}

/** Sets lines of one size below each other, each at most `maximum` pixels wide. */
export function setBlock(
  texts: readonly string[],
  size: number,
  maximum: number,
  measure: MeasureText,
): TextBlock {
  const lines = texts.map((text) => fitText(text, size, maximum, measure));
  const leading = size * (ascent + descent) * 1.15;
  return {
    width: Math.max(0, ...lines.map((line) => line.width)),
    height: lines.length * leading,
    marks: (x, y, colour) =>
      lines.map(({ text }, i) => ({
        ...{ type: 'text', text, x, size, colour },
        y: y + i * leading + (leading + size * (ascent - descent)) / 2,
      })),
  };
}
