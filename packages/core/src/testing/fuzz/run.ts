/**
 * Reads millions of damaged models. Each must end in a graph or in a refusal that can be shown; an input that ends
 * otherwise, or takes too long, is stored as a file.
 *
 *     node packages/core/src/testing/fuzz/run.ts [--inputs 1000000] [--from 0] [--out DIR] [--seconds 10] [--megabytes 1500]
 *
 * The same numbers give the same inputs if the same models are present. Prints a line a minute, and a summary as JSON.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { damaged } from '../mutations.ts';
import { corpus } from './corpus.ts';
import type { Finding, Progress } from './worker.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
    out: { type: 'string', default: 'fuzz-findings' },
    seconds: { type: 'string', default: '10' },
    megabytes: { type: 'string', default: '1500' },
  },
});
const [inputs, from, seconds, megabytes] = [values.inputs, values.from, values.seconds, values.megabytes].map(
  Number,
) as [number, number, number, number];

const models = corpus();
const end = from + inputs;
const totals: Progress = { refused: 0, read: 0, explained: 0, slowest: 0, slowestSeed: -1 };
const findings = new Map<string, number>();
const started = performance.now();
let peak = 0;

/** Runs seeds until the end, or until a seed takes too long or too much memory; returns the next seed. */
function runFrom(start: number): Promise<number> {
  const at = new Int32Array(new SharedArrayBuffer(4)).fill(start);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { models, start, end, at },
    resourceLimits: { maxOldGenerationSizeMb: megabytes },
  });
  return new Promise((resolve) => {
    let [last, since] = [start, process.cpuUsage()];
    const stop = (why: string) => {
      clearInterval(watch);
      found({ seed: Atomics.load(at, 0), what: why });
      void worker.terminate().then(() => resolve(Atomics.load(at, 0) + 1));
    };
    const watch = setInterval(() => {
      const seed = Atomics.load(at, 0);
      const held = process.memoryUsage().rss / 2 ** 20;
      peak = Math.max(peak, held);
      if (seed !== last) [last, since] = [seed, process.cpuUsage()];
      const { user, system } = process.cpuUsage(since); // not of the clock: the machine may have other work
      if (user + system > 1e6 * seconds) stop(`took more than ${seconds} s`);
      else if (held > 2 * megabytes) stop(`the process takes ${Math.round(held)} MB`);
    }, 250);
    worker.on('message', (message: Finding | Progress) => {
      if ('what' in message) found(message);
      else add(message);
    });
    worker.on('error', (error) => stop(String(error)));
    worker.on('exit', () => {
      clearInterval(watch);
      resolve(Atomics.load(at, 0) + 1);
    });
  });
}

function found({ seed, what }: Finding): void {
  const before = findings.get(what) ?? 0;
  findings.set(what, before + 1);
  if (before > 0) return; // one file of a kind
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, `${seed}.onnx`), damaged(models, seed));
  console.error(`seed ${seed}: ${what}`);
}

function add({ slowest, slowestSeed, ...counts }: Progress): void {
  for (const [outcome, count] of Object.entries(counts)) totals[outcome as keyof typeof counts] += count;
  if (slowest > totals.slowest) Object.assign(totals, { slowest, slowestSeed });
}

const report = setInterval(() => console.error(JSON.stringify(summary())), 60_000);
for (let seed = from; seed < end; ) seed = await runFrom(seed);
clearInterval(report);
console.log(JSON.stringify(summary()));
process.exitCode = findings.size > 0 ? 1 : 0;

function summary() {
  const { refused, read, explained, slowest, slowestSeed } = totals;
  return {
    models: models.length,
    inputs: refused + read + explained + [...findings.values()].reduce((a, b) => a + b, 0),
    refused,
    read,
    explained,
    findings: Object.fromEntries(findings),
    slowest_ms: Math.round(slowest),
    slowest_seed: slowestSeed,
    peak_rss_mb: Math.round(peak),
    minutes: Number(((performance.now() - started) / 60_000).toFixed(1)),
  };
}
