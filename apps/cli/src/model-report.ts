import { type ModelReport, type Purpose, type Task, warningText } from '@whylight/core';
import type { CheckReport, MethodVerdict } from '@whylight/host';
import { counted, print, table } from './output.ts';
import { sourceLines } from './preprocessing-report.ts';

type Report = Omit<ModelReport, 'methods'> & {
  readonly methods: readonly MethodVerdict[];
  readonly task?: Task | Purpose;
} & Partial<Pick<CheckReport, 'preprocessing' | 'warnings' | 'photos' | 'budget'>>;

/** Where the text of a line begins. */
const width = 'preprocessing'.length + 2;

/** Prints whether a model can be explained, and how: of a report that the file alone gave, as far as that tells. */
export function printReport(name: string, report: Report): void {
  const shape = (dimensions: readonly (number | string)[]) => `[${dimensions.join(', ')}]`;
  const classes = report.classes === 1 ? '1 class' : `${report.classes} classes`;
  print(`${name}: opset ${report.opset}, ${counted(report.nodes, 'node')}, ${classes}`);
  const line = (heading: string, text: string) => print(`${heading.padEnd(width)}${text}`);
  for (const input of report.inputs) line('input', `${input.name} ${input.dtype} ${shape(input.shape)}`);
  for (const { name, dtype, shape: size, meaning, purpose, score } of report.scores) {
    const region = purpose === 'segmentation' ? '--region predicted --target CLASS, or ' : '';
    const offer = score === null ? '' : ` (${region}--score '${score}')`;
    line('output', `${name} ${dtype} ${shape(size)}: ${meaning}${offer}`);
  }
  line('task', `${report.task ?? report.seen.purpose}: ${report.seen.why}`);
  for (const remark of report.notes) line('note', remark);
  const { preprocessing, photos = true, warnings = [], budget } = report;
  if (preprocessing) for (const part of sourceLines(preprocessing)) line('preprocessing', part);
  if (photos !== true) line('photos', `cannot be explained: ${photos}`);
  for (const warning of warnings) line('warning', warningText(warning));
  const { recommended } = report;
  line('recommended', recommended.length > 0 ? `${recommended.join(', ')} (best first)` : 'no method');
  print();
  print(table(report.methods.map((method) => [verdictOf(method), method.id, method.reason ?? ''])));
  if (budget !== undefined)
    print(`\nMethods marked "works" ran once, with few samples. The time budget was ${budget} s (--budget).`);
  if (report.unsupported.length > 0) {
    print('\nOperators without a derivative rule:');
    for (const { op, nodes } of report.unsupported) print(`  ${op}: ${nodes.join(', ')}`);
  }
  const shown = report.layers.slice(0, 8);
  print(
    `\nLayers for --layer, last first${shown.length < report.layers.length ? ' (--json lists all)' : ''}:`,
  );
  print(table(shown.map((layer) => [`  ${layer.name}`, shape(layer.shape)])));
}

const verdictOf = ({ works }: Pick<MethodVerdict, 'works'>): string =>
  works === null ? 'not_run' : works ? 'works' : 'no';
