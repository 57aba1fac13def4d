/**
 * Measures methods on a device and prints a table: milliseconds per batch, beside PyTorch if `bench.py` has measured
 * the same networks there, and which operators fell back to the CPU.
 * `node infra/gpu/bench.ts [--ep cuda] [--batch 1,32] [--only ID,ID]  [--runs 10] [--memory MB] [--tf32]
 * [--torch FILE.json] NAME=MODEL.onnx...`
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Classifier,
  createExplainer,
  type ExplainerSpec,
  float32,
  forwardModel,
  type Runtime,
  readClassifier,
  sizeOf,
} from '@whylight/core';
import { createRuntime } from '@whylight/host';
import { elsewhere, type Share } from './profile.ts';
import { profiledRuntime } from './profiled-runtime.ts';

/** Rows of the table; `bench.py` measures the same under the same names. */
const rows: Readonly<Record<string, ExplainerSpec | undefined>> = {
  forward: undefined,
  'grad-cam': { method: 'grad-cam' },
  'input gradient': { method: 'saliency' },
  'IG-50': { method: 'integrated-gradients', parameters: { n_steps: 50 } },
  'score-cam': { method: 'score-cam' },
  'occlusion 15/8': {
    method: 'occlusion',
    parameters: { sliding_window_shapes: [3, 15, 15], strides: [3, 8, 8] },
  },
};

const { values, positionals } = parseArgs({
  options: {
    ep: { type: 'string', default: 'cuda' },
    batch: { type: 'string', default: '1,32' },
    only: { type: 'string', default: Object.keys(rows).join(',') },
    runs: { type: 'string', default: '10' },
    memory: { type: 'string', default: '4000' },
    tf32: { type: 'boolean', default: false },
    torch: { type: 'string' },
  },
  allowPositionals: true,
});
if (values.ep !== 'cuda' && values.ep !== 'cpu')
  throw new Error(`--ep: expected cuda or cpu, got ${values.ep}`);
const { ep } = values;
process.env.NVIDIA_TF32_OVERRIDE = values.tf32 ? '1' : '0'; // read by NVIDIA's libraries when they are loaded
const only = values.only.split(',').map((name) => name.trim());
const batches = values.batch.split(',').map(Number);
const torch: Record<string, number> = values.torch ? JSON.parse(await readFile(values.torch, 'utf8')) : {};
const runtime = await createRuntime({ ep });
const provider = ep === 'cuda' ? 'CUDAExecutionProvider' : 'CPUExecutionProvider';

const table: Record<string, unknown>[] = [];
const fallen = new Map<string, string>();
for (const argument of positionals) {
  const [name, path] = argument.split('=') as [string, string];
  const classifier = readClassifier(new Uint8Array(await readFile(path)));
  for (const row of only)
    for (const batch of batches) {
      const ours = await measured(classifier, row, batch);
      const theirs = torch[`${name}/${row}/${batch}`];
      table.push({
        network: name,
        row,
        batch,
        'ours ms': rounded(ours),
        'torch ms': theirs === undefined ? '-' : rounded(theirs),
        'ours/torch': theirs === undefined ? '-' : (ours / theirs).toFixed(2),
      });
    }
  for (const row of only) fallen.set(`${name}, ${row}`, listed(await fallenBack(classifier, row)));
}
console.log(
  `${runtime.device}, TF32 ${values.tf32 ? 'on' : 'off'}, ${values.memory} MB for rows, medians of ${values.runs} runs`,
);
console.table(table);
console.log(`Ran elsewhere than on ${provider} (operator, nodes, milliseconds of one run):`);
for (const [what, list] of fallen) console.log(`  ${what}: ${list}`);

/** Opens the forward pass, or a method with its graphs loaded, for repeated runs. */
async function opened(classifier: Classifier, row: string, batch: number, on: Runtime) {
  const image = noise([batch, ...classifier.inputShape]);
  const spec = rows[row];
  if (!(row in rows)) throw new Error(`--only: expected ${Object.keys(rows).join(', ')}, got ${row}`);
  if (!spec) {
    const session = await on.load(forwardModel(classifier));
    return { run: () => session.run({ image }), close: session.close };
  }
  const explainer = await createExplainer(classifier, { ...spec, memory: Number(values.memory) * 1e6 }, on);
  const targets = Array<number>(batch).fill(0);
  return { run: () => explainer.attribute(image, targets), close: explainer.close };
}

/** Measures the median of a warm run, in milliseconds. */
async function measured(classifier: Classifier, row: string, batch: number): Promise<number> {
  const { run, close } = await opened(classifier, row, batch, runtime);
  await run();
  const times: number[] = [];
  for (let k = 0; k < Number(values.runs); k++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  await close();
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** Lists the operators of one image that ran on other providers, by a profile of one run. */
async function fallenBack(classifier: Classifier, row: string): Promise<Share[]> {
  const folder = await mkdtemp(join(tmpdir(), 'whylight-profile-'));
  try {
    const profiled = profiledRuntime(ep as 'cpu' | 'cuda', folder);
    const { run, close } = await opened(classifier, row, 1, profiled);
    await run();
    await close();
    return elsewhere(await profiled.profile(), provider);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function listed(shares: readonly Share[]): string {
  const items = shares.map(({ op, nodes, milliseconds }) => `${op} ${nodes} ${milliseconds.toFixed(2)}`);
  return items.join(', ') || 'nothing';
}

function noise(shape: readonly number[]) {
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 12.9898) * 2),
  );
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toPrecision(3));
}
