import { encodePng, renderChart } from '@whylight/host';
import { type MetricId, metrics } from './metrics.ts';

export interface Row {
  readonly method: string;
  /** Whether the row is a baseline, which ignores the photo. */
  readonly baseline: boolean;
  /** Mean over the images; null if the metric does not apply. */
  readonly values: Readonly<Partial<Record<MetricId, number | null>>>;
}

export interface Report {
  readonly model: string;
  readonly images: number;
  /**
   * The score of deletion, insertion, average drop, increase and ARCC: the model's probability, or the position of a
   * plain number between that of a blank image, 0, and that of the photo, 1.
   */
  readonly confidence: 'probability' | 'between_blank_and_photo';
  readonly metrics: readonly MetricId[];
  readonly rows: readonly Row[];
  /** Methods that could not be run, and why. */
  readonly left_out: readonly { readonly method: string; readonly reason: string }[];
}

const cell = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(Number(value.toPrecision(4)));

export const csv = ({ metrics: ids, rows }: Report): string =>
  `${[['method', ...ids], ...rows.map(({ method, values }) => [method, ...ids.map((id) => cell(values[id]))])]
    .map((line) => line.join(','))
    .join('\n')}\n`;

const arrows = { high: ' ↑', low: ' ↓' } as const;

export function markdown({ metrics: ids, rows, confidence }: Report): string {
  const head = ids.map((id) => `${metrics[id].title}${metrics[id].better ? arrows[metrics[id].better] : ''}`);
  const lines = rows.map(({ method, baseline, values }) => [
    baseline ? `*${method}*` : method,
    ...ids.map((id) => rounded(values[id])),
  ]);
  return `${[['method', ...head], ['---', ...ids.map(() => '---:')], ...lines]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n')}\n${confidence === 'probability' ? '' : `\n${plainNumber}\n`}`;
}

/** Note on metrics of a model that gives no probability. */
export const plainNumber =
  'The model gives a plain number: metrics that take a probability take where the number lies between that of a blank image (0) and that of the photo (1).';

const rounded = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(3);

export async function chart({ model, images, metrics: ids, rows }: Report): Promise<Uint8Array> {
  const { picture } = await renderChart({
    title: `${model}, ${images} images`,
    rows: rows.map(({ method, baseline }) => ({ name: method, baseline })),
    columns: ids.map((id) => ({
      title: metrics[id].title,
      better: metrics[id].better,
      values: rows.map(({ values }) => values[id] ?? null),
    })),
  });
  return encodePng(picture);
}
