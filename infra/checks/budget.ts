/**
 * Prints the lines of each room beside its budget; fails if a room has more. With --write it makes the budget from the
 * present lines, for a change that moves rooms: check the result.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { budgetFor, faultsOf, type Lines, linesOf, table } from './lines.ts';

const file = new URL('budget.json', import.meta.url);
const lines = linesOf(fileURLToPath(new URL('../../', import.meta.url)));

if (process.argv.includes('--write')) writeFileSync(file, `${JSON.stringify(budgetFor(lines), null, 2)}\n`);
const budget: Lines = JSON.parse(readFileSync(file, 'utf8'));

console.log(table(lines, budget));
const faults = faultsOf(lines, budget);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
