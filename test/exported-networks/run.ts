import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readNpy } from '@whylight/core';
import type { Case, Verdict } from './case.ts';
import { differencesAgree } from './differences.ts';
import { tableOf } from './tables.ts';

// Runs the command line on every network of a folder that the scripts beside this file wrote, as a user would:
//   node test/exported-networks/run.ts DIRECTORY [--only NAME] [--results FILE.json]
// It prints a table for each group: what is accepted, what is shown right, which gradients are right, and each failure
// with its reason (methods are not run: the tests of `check` do). --results keeps the verdicts, and finds them again: only what is new or failed is run.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, results: { type: 'string' } },
});
const [root] = positionals;
if (!root) throw new Error('expected a folder of exported networks');
const command = join(import.meta.dirname, '../../apps/cli/src/index.ts');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const whylight = (...args: string[]) =>
  new Promise<Ran>((done) =>
    execFile(
      process.execPath,
      [command, ...args],
      { maxBuffer: 1 << 28, timeout: 300_000 },
      (error, stdout, stderr) =>
        done({ code: error ? Number(error.code ?? 124) : 0, stdout, stderr: stderr.trim() }),
    ),
  );

const lastLine = (text: string) =>
  text
    .split('\n')
    .filter((line) => /^whylight: /.test(line))
    .at(-1) ??
  text.split('\n').at(-1) ??
  '';
const flat = (file: string) => Float64Array.from(readNpy(readFileSync(file)).data as Float32Array);

/** |a - b| / |b| */
function relativeError(a: Float64Array, b: Float64Array): number {
  let [difference, size] = [0, 0];
  b.forEach((value, i) => {
    difference += (a[i]! - value) ** 2;
    size += value * value;
  });
  return Math.sqrt(difference / size);
}

/** Says why the shown result of the class is wrong; empty if it is right. */
function shownWrong(printed: string, expected: Case): string {
  const [result] = JSON.parse(printed);
  const listed = [result.target, ...result.predictions];
  const said = listed.find((p: { class_index: number }) => p.class_index === expected.target);
  if (!said) return `class ${expected.target} is not among those shown`;
  if (expected.label && said.label !== expected.label)
    return `called ${said.label}, the file says ${expected.label}`;
  const value = expected.head === 'number' ? said.score : (said.probability ?? said.score);
  const near = Math.abs(value - expected.shown) <= expected.shown_tolerance;
  return near ? '' : `shown ${value.toFixed(4)}, the network says ${expected.shown.toFixed(4)}`;
}

/** Says why the gradient in `file` is wrong; empty if it is right. */
async function gradientWrong(file: string, directory: string, expected: Case): Promise<string> {
  const found = flat(file);
  if (!expected.gradient) return differencesAgree(found, directory, expected);
  const right = flat(join(directory, 'gradient.npy'));
  if (found.length !== right.length) return `${found.length} values for ${right.length}`;
  const error = relativeError(found, right);
  // A rounding that moves one ReLU across zero moves the framework's own float32 gradient as far.
  const bound = Math.max(expected.tolerance ?? 1e-3, Math.min(3 * expected.floor, 0.1));
  return error <= bound ? '' : `relative error ${error.toExponential(1)}, at most ${bound.toExponential(1)}`;
}

async function judge(directory: string): Promise<Verdict> {
  const refused = join(directory, 'not_exported.txt');
  if (existsSync(refused)) return { exported: false, why: readFileSync(refused, 'utf8').split('\n')[0]! };
  const expected: Case = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8'));
  const model = join(directory, expected.model);
  const reading = expected.output ? ['--output-name', expected.output] : [];
  const said = [...expected.preparation, ...expected.flags, ...reading];
  const out = mkdtempSync(join(tmpdir(), 'coverage-'));
  try {
    const check = await whylight('check', model, ...said, '--budget', '0', '--json');
    if (check.code !== 0)
      return { exported: true, accepted: lastLine(check.stderr), shown: '–', gradient: '–' };
    const report = JSON.parse(check.stdout);
    const classes =
      report.classes === expected.classes ? '' : `${report.classes} classes for ${expected.classes}`;
    const target = ['--target', String(expected.target), '--json'];
    const photo = join(directory, expected.photo);
    const shown = await whylight(
      'explain',
      photo,
      '--model',
      model,
      ...said,
      ...target,
      '-o',
      join(out, 'photo'),
    );
    const tensor = ['--model', model, '--tensor', join(directory, 'x.npy'), ...expected.flags, ...reading];
    const saliency = ['--method', 'saliency', '--param', 'abs=false', '-o', join(out, 'gradient.npy')];
    const gradient = await whylight('attribute', ...tensor, ...saliency, ...target);
    return {
      exported: true,
      accepted: classes,
      shown: shown.code === 0 ? shownWrong(shown.stdout, expected) : lastLine(shown.stderr),
      gradient:
        gradient.code === 0
          ? await gradientWrong(join(out, 'gradient.npy'), directory, expected)
          : lastLine(gradient.stderr),
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const right = (v: Verdict) => v.exported && !v.accepted && !v.shown && !v.gradient;
const known: Record<string, Verdict> =
  values.results && existsSync(values.results) ? JSON.parse(readFileSync(values.results, 'utf8')) : {};
const groups = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
for (const group of groups.map((entry) => entry.name).sort()) {
  const networks = readdirSync(join(root, group)).sort();
  for (const network of networks) {
    const name = `${group}/${network}`;
    const directory = resolve(root, group, network);
    const finished = ['case.json', 'not_exported.txt'].some((file) => existsSync(join(directory, file)));
    if (!finished || (values.only && !name.includes(values.only)) || (known[name] && right(known[name])))
      continue;
    const verdict = await judge(directory);
    known[name] = verdict;
    console.error(
      `${right(verdict) ? 'right' : 'WRONG'} ${name} ${right(verdict) ? '' : JSON.stringify(verdict)}`,
    );
    if (values.results) writeFileSync(values.results, JSON.stringify(known, undefined, 1));
  }
}
console.log(tableOf(known));
