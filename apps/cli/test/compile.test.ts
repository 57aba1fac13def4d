import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32, readNpy, type Tensor, writeNpy } from '@whylight/core';
import { createRuntime } from '@whylight/host';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { draw } from '../../../models/shapes/draw.ts';
import { whylight } from './run.ts';

let home: string;
let image: Tensor<'float32'>;
const side = 128;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-compile-'));
  const { data } = draw(10).picture;
  const values = Float32Array.from({ length: 3 * side * side }, (_, at) => {
    const [channel, pixel] = [Math.floor(at / side ** 2), at % side ** 2];
    return (data[pixel * 3 + channel]! / 255 - 0.5) / 0.25;
  });
  image = float32([1, 3, side, side], values);
  await writeFile(join(home, 'in.npy'), writeNpy(image));
});
afterAll(() => rm(home, { recursive: true, force: true }));

it.each([
  ['grad-cam', []],
  ['integrated-gradients', ['--param', 'n_steps=8']],
  ['score-cam', []],
  ['smooth-grad', ['--param', 'nt_samples=4']],
])('%s as one file gives in plain ONNX Runtime what `attribute` gives', async (method, params) => {
  const args = ['--method', method, ...params];
  expect(await whylight(home, 'compile', 'shapes', ...args, '-o', 'explainer.onnx')).toMatchObject({
    code: 0,
  });
  const asked = ['--model', 'shapes', '--tensor', 'in.npy', '--target', '3', '-o', 'out.npy'];
  expect(await whylight(home, 'attribute', ...args, ...asked)).toMatchObject({ code: 0 });
  const expected = readNpy(new Uint8Array(await readFile(join(home, 'out.npy'))));

  const session = await (await createRuntime({ ep: 'cpu' })).load(
    new Uint8Array(await readFile(join(home, 'explainer.onnx'))),
  );
  const classIndex = { dtype: 'int64' as const, shape: [1], data: BigInt64Array.of(3n) };
  const { attribution, target } = await session.run({ image, class_index: classIndex });
  await session.close();
  expect([attribution!.shape, target!.data]).toEqual([expected.shape, BigInt64Array.of(3n)]);
  const [wanted, got] = [expected, attribution!].map((t) => Array.from(t.data as Float32Array));
  const largest = Math.max(...wanted!.map(Math.abs));
  expect(largest).toBeGreaterThan(0);
  expect(Math.max(...wanted!.map((value, i) => Math.abs(value - got![i]!)))).toBeLessThanOrEqual(
    1e-4 * largest,
  );
});
