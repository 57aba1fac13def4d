import { type ModelReport, type Warning, warningText } from '@whylight/core';
import type { PreprocessingReport } from '@whylight/host';
import { print, table } from './output.ts';
import { sourceLines } from './preprocessing-report.ts';

/** Prints whether a model can be explained, and how. */
export function printReport(
  name: string,
  report: ModelReport,
  { preprocessing, warnings }: { preprocessing: PreprocessingReport; warnings: readonly Warning[] },
): void {
  const shape = (dimensions: readonly (number | string)[]) => `[${dimensions.join(', ')}]`;
  print(`${name}: opset ${report.opset}, ${report.nodes} nodes, ${report.classes} classes`);
  for (const input of report.inputs) print(`input   ${input.name} ${input.dtype} ${shape(input.shape)}`);
  for (const output of report.outputs) print(`output  ${output}`);
  for (const remark of report.notes) print(`note    ${remark}`);
  for (const line of sourceLines(preprocessing)) print(`photos  ${line}`);
  for (const warning of warnings) print(`warning ${warningText(warning)}`);
  print();
  print(table(report.methods.map(({ id, works, reason }) => [works ? 'works' : 'no', id, reason ?? ''])));
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
