import { blank, ink, paleInk as pale, tickLabel } from '@whylight/core/drawing';
import { drawShapes, textShape } from './draw.ts';
import type { RenderedPicture } from './rendered-picture.ts';
import { fitText, setText } from './text.ts';

export interface Column {
  readonly title: string;
  /** Whether a high or a low value is good. The best bar has a colour. */
  readonly better: 'high' | 'low' | null;
  /** One value for each row; null if there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartInput {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly baseline: boolean }[];
  readonly columns: readonly Column[];
}

const bars = { plain: '#9db4d3', best: '#1f5fae', baseline: '#c9ccd1' };
const size = 15;
const line = 26;
const margin = 20;
const width = 190;
const numbers = 62;
/** The most columns side by side. More columns go below them. */
const abreast = 5;

/** Renders a bar chart with a column for each metric and a row for each method. Baselines are grey, the best bar has a colour. */
export async function renderChart({ title, rows, columns }: ChartInput): Promise<RenderedPicture> {
  const names = rows.map(({ name }) => fitText(name, size, 320));
  const head = setText(title, size * 1.3);
  const left = margin + Math.ceil(Math.max(0, ...names.map((name) => name.width))) + margin;
  const bands = Math.ceil(columns.length / abreast);
  const band = 58 + rows.length * line + margin;
  const topOf = (n: number) => margin + 20 + n * band + 58;
  const canvas = blank(
    Math.max(left + Math.min(columns.length, abreast) * (width + margin), Math.ceil(head.width) + 2 * margin),
    margin + 20 + bands * band,
    [255, 255, 255],
  );
  const shapes = [textShape(head, margin, margin + 18, ink)];
  for (let n = 0; n < bands; n++)
    rows.forEach(({ baseline }, i) => {
      shapes.push(textShape(names[i]!, margin, topOf(n) + i * line + 18, baseline ? pale : ink));
    });
  columns.forEach((column, c) => {
    shapes.push(
      ...columnShapes(column, rows, left + (c % abreast) * (width + margin), topOf(Math.trunc(c / abreast))),
    );
  });
  await drawShapes(canvas, shapes.join(''), { left: 0, top: 0, width: canvas.width, height: canvas.height });
  return { picture: canvas, missing: [...new Set(names.flatMap(({ missing }) => missing))] };
}

function columnShapes({ title, better, values }: Column, rows: ChartInput['rows'], x: number, top: number) {
  const shapes = [textShape(fitText(title, size, width), x, top - 28, ink)];
  if (better) shapes.push(textShape(setText(`${better} is good`, size * 0.8), x, top - 10, pale));
  const known = values.filter((value) => value !== null);
  const least = Math.min(0, ...known);
  const span = Math.max(0, ...known) - least || 1;
  const scale = (width - numbers) / span;
  const contest = values.filter((value, i) => value !== null && !rows[i]!.baseline) as number[];
  const best = better === 'high' ? Math.max(...contest) : better === 'low' ? Math.min(...contest) : null;
  values.forEach((value, i) => {
    const y = top + i * line;
    if (value === null) {
      shapes.push(textShape(setText('–', size * 0.9), x, y + 18, pale));
      return;
    }
    const kind = rows[i]!.baseline ? 'baseline' : value === best ? 'best' : 'plain';
    const from = x + (Math.min(value, 0) - least) * scale;
    const length = Math.max(Math.abs(value) * scale, 1);
    shapes.push(
      `<rect x="${from}" y="${y + 5}" width="${length}" height="${line - 9}" fill="${bars[kind]}"/>`,
    );
    const end = x + (Math.max(value, 0) - least) * scale;
    shapes.push(
      textShape(setText(tickLabel(value), size * 0.85), end + 5, y + 18, kind === 'best' ? ink : pale),
    );
  });
  shapes.push(
    `<rect x="${Math.round(x - least * scale) - 1}" y="${top}" width="1" height="${rows.length * line}" fill="${pale}"/>`,
  );
  return shapes;
}
