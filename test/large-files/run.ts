import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { float32, writeNpy } from '@whylight/core';
import { sizes, transformer, transformerApart, writeBeside, writeLarge } from './network.ts';

// The memory that explaining a large network takes, as a multiple of its weights: a vision transformer with random weights.
//   node test/large-files/run.ts [--size tiny|base|large|huge] [--method ID]... [--out FOLDER]
// "large" has 1.2 GB: it takes 4 GB of memory for some minutes, and 5 GB once to be made. "huge" has 2.2 GB, beside its ONNX file.

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'base' },
    method: { type: 'string', multiple: true, default: ['grad-cam', 'integrated-gradients'] },
    /** Folder in which the network stays and is found again. */
    out: { type: 'string', default: join(tmpdir(), 'whylight-large') },
  },
});
const size = sizes[values.size as keyof typeof sizes];
if (!size) throw new Error(`--size: expected ${Object.keys(sizes).join(', ')}, got ${values.size}`);

const folder = join(values.out, values.size);
mkdirSync(folder, { recursive: true });
const model = join(folder, 'model.onnx');
const tensor = join(values.out, 'in.npy');
if (!existsSync(model)) {
  if (values.size === 'huge') writeBeside(folder, 'model.onnx', transformerApart(size));
  else writeLarge(model, transformer(size));
}
writeFileSync(
  tensor,
  writeNpy(
    float32(
      [1, 3, 224, 224],
      Float32Array.from({ length: 150_528 }, (_, i) => Math.sin(i)),
    ),
  ),
);
const weights = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/** Runs a method in a process of its own. @returns its peak memory, in bytes */
async function peakOf(method: string): Promise<number> {
  const told = 'process.on("exit", () => console.error("peak", process.resourceUsage().maxRSS))';
  const child = spawn(process.execPath, [
    ...['--import', `data:text/javascript,${encodeURIComponent(told)}`],
    fileURLToPath(new URL('../../apps/cli/bin/whylight.js', import.meta.url)),
    ...['attribute', '--model', model, '--tensor', tensor, '--method', method, '--target', '3'],
    ...(method === 'integrated-gradients' ? ['--param', 'n_steps=2'] : []),
    ...['-o', join(values.out, `${method}.npy`)],
  ]);
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${method} failed: ${said}`);
  return Number(/^peak (\d+)$/m.exec(said)![1]) * 1024;
}

console.log(`| network | weights, MB | method | peak, MB | times the weights |\n|---|---|---|---|---|`);
for (const method of values.method) {
  const peak = await peakOf(method);
  const cells = [Math.round(weights / 1e6), method, Math.round(peak / 1e6), (peak / weights).toFixed(2)];
  console.log(`| ViT, ${values.size} | ${cells.join(' | ')} |`);
}
