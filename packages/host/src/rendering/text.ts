import { readFileSync } from 'node:fs';
import { cleanText, fitText as fit, type MeasureText } from '@whylight/core/drawing';
import { create, type Font } from 'fontkit';
import { ownFile } from '../own-file.ts';

/**
 * Converts text to outlines. It uses only the fonts of this package, no system font and no fontconfig, so that a label looks
 * the same on every machine.
 */

/** Each character comes from the first font that contains it. */
const files = [
  'noto-sans-latin-400-normal',
  'noto-sans-sc-chinese-simplified-400-normal',
  'noto-sans-latin-ext-400-normal',
  'noto-sans-sc-22-400-normal',
  'noto-sans-sc-39-400-normal',
  'noto-sans-sc-55-400-normal',
  'noto-sans-sc-56-400-normal',
];
const opened = new Map<string, Font>();

function font(file: string): Font {
  let found = opened.get(file);
  if (found === undefined) {
    found = create(readFileSync(ownFile(`fonts/${file}.woff2`))) as Font;
    opened.set(file, found);
  }
  return found;
}

/** One line of text as outlines. */
export interface TextLine {
  readonly text: string;
  /** Pixels per em. */
  readonly size: number;
  /** Pixels from the first glyph's origin to the end of the last one. */
  readonly width: number;
  /** SVG path data; the baseline is y = 0, the text starts at x = 0. */
  readonly path: string;
  /** Characters that no font contains. An empty box replaces them. */
  readonly missing: readonly string[];
}

/** Sets a line; control characters and line breaks become spaces. */
export function setText(text: string, size: number): TextLine {
  const clean = cleanText(text);
  const missing: string[] = [];
  let path = '';
  let x = 0;
  for (const run of runs(clean)) {
    if (run.font === null) {
      missing.push(...run.text);
      for (const _ of run.text) {
        path += box(x, size);
        x += 0.7 * size;
      }
      continue;
    }
    const scale = size / run.font.unitsPerEm;
    const { glyphs, positions } = run.font.layout(run.text);
    glyphs.forEach((glyph, i) => {
      const { xAdvance, xOffset, yOffset } = positions[i]!;
      path += glyph.path
        .scale(scale, -scale)
        .translate(x + xOffset * scale, -yOffset * scale)
        .toSVG();
      x += xAdvance * scale;
    });
  }
  return { text: clean, size, width: x, path, missing: [...new Set(missing)] };
}

/** Measures a line of text. */
export const measureText: MeasureText = (text, size) => setText(text, size).width;

/** Sets a line that is at most `maximum` pixels wide, shortened if it has to be. */
export const fitText = (text: string, size: number, maximum: number): TextLine =>
  setText(fit(text, size, maximum, measureText).text, size);

interface Run {
  readonly text: string;
  readonly font: Font | null;
}

/** Groups neighbouring characters of one font, so that kerning works. */
function* runs(text: string): Generator<Run> {
  let run: Run | null = null;
  for (const character of text) {
    const chosen = fontFor(character);
    if (run !== null && run.font === chosen) run = { text: run.text + character, font: chosen };
    else {
      if (run !== null) yield run;
      run = { text: character, font: chosen };
    }
  }
  if (run !== null) yield run;
}

function fontFor(character: string): Font | null {
  const code = character.codePointAt(0)!;
  const file = files.find((name) => font(name).hasGlyphForCodePoint(code));
  return file === undefined ? null : font(file);
}

/** An upright empty box, 0.7 em wide with its margins. */
function box(x: number, size: number): string {
  const stroke = Math.max(size * 0.06, 1);
  const [left, right, top] = [x + 0.08 * size, x + 0.62 * size, -0.72 * size];
  const inner = `M${left + stroke} ${top + stroke}V${-stroke}H${right - stroke}V${top + stroke}Z`;
  return `M${left} ${top}H${right}V0H${left}Z${inner}`;
}
