/**
 * Writes the tables of docs/browser.md: how far the tab and Node are apart, how long the tab takes, what an app downloads.
 * Takes about three minutes. Times are ratios within one run, and no test reads them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Compared, compare, type NetworkName, networks } from './parity.ts';
import { repository } from './site.ts';
import { measure, type Size, type Speed, sizes } from './speed.ts';
import { openTab } from './tab.ts';

const page = join(repository, 'docs/browser.md');
const rounds = 11;

async function parity(network: NetworkName, webgpu: boolean) {
  await using tab = await openTab({ isolated: true, webgpu });
  const compared = await Array.fromAsync(compare(tab, network, webgpu ? 'webgpu' : 'wasm'));
  const { gpu, fallenBack } = await tab.page.evaluate(async () => {
    const image = document.querySelector('img')!;
    const { device } = await explainer.classify({ model, image });
    return { gpu: explainer.backend.gpu, fallenBack: device.fallenBack };
  });
  return { compared, gpu, fallenBack, version: tab.version };
}

async function speed(isolated: boolean): Promise<Speed> {
  await using tab = await openTab({ isolated });
  return await measure(tab, rounds);
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const times = (value: number) => `${value.toFixed(2)} ×`;
const share = (value: number) => value.toExponential(1);
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

function parityTable(all: readonly Compared[], onGpu: readonly Compared[]): string {
  const rows = all.map(({ network, method, apart, own, same }) => {
    const gpu = onGpu.find((other) => other.network === network && other.method === method);
    return [
      network.split('/')[1]!,
      `\`${method}\``,
      same ? share(apart) : 'another answer',
      gpu ? (gpu.same ? share(gpu.apart) : 'another answer') : '',
      share(own),
    ];
  });
  return table(['network', 'method', 'tab, WebAssembly', 'tab, WebGPU', 'Node and itself'], rows);
}

const speedTable = (speeds: readonly Speed[]): string =>
  table(
    ['threads', 'forward pass', 'Grad-CAM', 'saliency', 'ready'],
    speeds.map(({ threads, forward, times: of, ready }) => [
      ...[String(threads), `${Math.round(forward)} ms`],
      ...[times(of['grad-cam']!), times(of.saliency!), times(ready)],
    ]),
  );

function sizeTable(found: readonly Size[]): string {
  const names: readonly (readonly [RegExp, string])[] = [
    [/^index/, 'what a page loads first'],
    [/^worker/, 'the worker: the engine'],
    [/^rolldown/, "the bundler's own"],
    [/^ort\.wasm/, 'ONNX Runtime for WebAssembly, script'],
    [/^ort-wasm-simd-threaded-/, 'ONNX Runtime for WebAssembly'],
    [/^ort\.webgpu/, 'ONNX Runtime for WebGPU, script'],
    [/asyncify/, 'ONNX Runtime for WebGPU'],
  ];
  return table(
    ['file', 'bytes', 'gzipped'],
    found.map(({ file, bytes, gzipped }) => [
      names.find(([pattern]) => pattern.test(file))?.[1] ?? file,
      ...[kilobytes(bytes), kilobytes(gzipped)],
    ]),
  );
}

function put(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/browser.md has no place for ${name}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

const onWasm = [];
for (const network of networks) onWasm.push(await parity(network, false));
const onGpu = await parity(networks[0], true);
const speeds = [await speed(false), await speed(true)];
const all = onWasm.flatMap(({ compared }) => compared);
const furthest = all.toSorted((a, b) => b.apart - a.apart)[0]!;

let text = readFileSync(page, 'utf8');
text = put(
  text,
  'parity',
  `${parityTable(all, onGpu.compared)}

Chromium ${onGpu.version}, Node ${process.versions.node}. The largest difference is ${share(furthest.apart)}, of \`${furthest.method}\` on ${furthest.network.split('/')[1]}. WebGPU ran on
${onGpu.gpu}, which is software. It left to WebAssembly: ${onGpu.fallenBack.join(', ') || 'nothing'}.`,
);
text = put(text, 'speed', speedTable(speeds));
text = put(text, 'sizes', sizeTable(await sizes()));
writeFileSync(page, text);
