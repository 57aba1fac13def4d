import { type ModelReport, warningText } from '@whylight/core';
import type { CheckReport, MethodVerdict } from '@whylight/host';
import { print, table } from './output.ts';
import { sourceLines } from './preprocessing-report.ts';

type Report = Omit<ModelReport, 'methods'> & { readonly methods: readonly MethodVerdict[] } & Partial<
    Pick<CheckReport, 'preprocessing' | 'warnings' | 'photos' | 'budget'>
  >;

/** Prints whether a model can be explained, and how: of a report that the file alone gave, as far as that tells. */
export function printReport(name: string, report: Report): void {
  const shape = (dimensions: readonly (number | string)[]) => `[${dimensions.join(', ')}]`;
  print(`${name}: opset ${report.opset}, ${report.nodes} nodes, ${report.classes} classes`);
  for (const input of report.inputs) print(`input   ${input.name} ${input.dtype} ${shape(input.shape)}`);
  for (const output of report.outputs) print(`output  ${output}`);
  for (const remark of report.notes) print(`note    ${remark}`);
  const { preprocessing, photos = true, warnings = [], budget } = report;
  if (preprocessing) for (const line of sourceLines(preprocessing)) print(`photos  ${line}`);
  if (photos !== true) print(`photos  no: ${photos}`);
  for (const warning of warnings) print(`warning ${warningText(warning)}`);
  print(`suits   ${report.recommended.join(', ') || 'no method'} (the best first)`);
  print();
  print(table(report.methods.map((method) => [told(method), method.id, method.reason ?? ''])));
  if (budget !== undefined)
    print(`\nEach method that works was run once, with few samples; methods had ${budget} s (--budget).`);
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

const told = ({ works }: Pick<MethodVerdict, 'works'>): string =>
  works === null ? 'not_run' : works ? 'works' : 'no';
