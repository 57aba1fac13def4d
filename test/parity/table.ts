import { cpu } from '@whylight/core/testing';
import { disagreement } from './agreement.ts';
import { groupsOf, measure, models } from './real.ts';

// Prints the distance of each recorded call from the reference, for its worst photo and target:
//   node test/parity/table.ts [--all] [PATTERN]

const all = process.argv.includes('--all');
const pattern = new RegExp(process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '');

console.log(
  '| network | call | cases | max | p99.9 | relL2 | 1 - Pearson | within tolerance |\n|---|---|---|---|---|---|---|---|',
);
for (const model of models)
  for (const group of groupsOf(model, all).filter((g) => pattern.test(g.name))) {
    const rows = await measure(group, cpu);
    const worst = (of: (row: (typeof rows)[number]) => number) => Math.max(...rows.map(of)).toExponential(1);
    const failed = rows.filter(
      ({ found, tolerance, rest }) => disagreement(found, tolerance) !== null || rest > 1e-2,
    ).length;
    const figures = [
      worst((r) => r.found.max),
      worst((r) => r.found.p999),
      worst((r) => r.found.relL2),
      worst((r) => 1 - r.found.pearson),
    ];
    console.log(
      `| ${[model, group.name, rows.length, ...figures, failed === 0 ? 'yes' : `${failed} are not`].join(' | ')} |`,
    );
  }
