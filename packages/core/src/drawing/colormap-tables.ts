/** Makes colour tables of 256 RGB entries from colour map definitions, as matplotlib and OpenCV do. */

type Knots = readonly (readonly [position: number, level: number])[];

/** Makes the table of matplotlib's LinearSegmentedColormap: piecewise linear per channel, `trunc(255 level)`. */
export function segments(definition: { red: Knots; green: Knots; blue: Knots }): Uint8Array {
  const table = new Uint8Array(256 * 3);
  [definition.red, definition.green, definition.blue].forEach((knots, channel) => {
    for (let i = 0; i < 256; i++) table[i * 3 + channel] = Math.trunc(levelAt(knots, i) * 255);
  });
  return table;
}

function levelAt(knots: Knots, i: number): number {
  if (i === 0) return knots[0]![1];
  if (i === 255) return knots.at(-1)![1];
  // numpy's linspace(0, 1, 256) times 255: not always the integer.
  const x = i * (1 / 255) * 255;
  const right = knots.findIndex(([position]) => position * 255 >= x);
  const [x0, y0] = knots[right - 1]!;
  const [x1, y1] = knots[right]!;
  const level = ((x - x0 * 255) / (x1 * 255 - x0 * 255)) * (y1 - y0) + y0;
  return Math.min(Math.max(level, 0), 1);
}

/** Makes the table of matplotlib's `LinearSegmentedColormap.from_list`: hexadecimal colours at equal distances. */
export function through(colours: string): Uint8Array {
  const list = colours.split(' ');
  return throughAt(list.map((colour, i) => [i / (list.length - 1), colour]));
}

/** Does the same with each colour at a given position from 0 to 1. */
export function throughAt(stops: readonly (readonly [position: number, colour: string])[]): Uint8Array {
  const channel = (shift: number): Knots =>
    stops.map(([position, colour]) => [position, ((Number.parseInt(colour, 16) >> shift) & 255) / 255]);
  return segments({ red: channel(16), green: channel(8), blue: channel(0) });
}

/** Reads a table that is written out: 256 colours of six hexadecimal digits. */
export const listed = (digits: string): Uint8Array =>
  Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16));

/**
 * Makes OpenCV's COLORMAP_JET as RGB: three trapezoids of slope 4. Its blue has one entry off the line: 1 at 159,
 * where the line gives 2.
 */
export function openCvJet(): Uint8Array {
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) {
    table[i * 3] = Math.min(4 * i - 382, 1148 - 4 * i);
    table[i * 3 + 1] = Math.min(4 * i - 128, 892 - 4 * i);
    table[i * 3 + 2] = i === 159 ? 1 : Math.min(4 * i + 128, 638 - 4 * i);
  }
  return new Uint8Array(table.buffer);
}
