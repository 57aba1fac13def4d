import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { float32, readNpy, type Tensor, writeNpy } from '@whylight/core';
import { dataBeside } from '@whylight/core/testing';
import { encodePng } from '@whylight/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draw } from '../../../models/shapes/draw.ts';
import { runWith, whylight } from './run.ts';

// What torch.onnx.export writes today: m.onnx, and m.onnx.data beside it. Each command gives what it gives of one file.

let home: string;
const inHome = (name: string) => join(home, name);
const numbers = async (name: string): Promise<Tensor['data']> =>
  readNpy(new Uint8Array(await readFile(inHome(name)))).data;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-external-'));
  const shapes = fileURLToPath(new URL('../../../models/shapes/shapes.onnx', import.meta.url));
  const whole = new Uint8Array(await readFile(shapes));
  const { model, data } = dataBeside(whole, 'apart.onnx.data', 64);
  expect(data.length).toBeGreaterThan(10 * model.length);
  const wave = Float32Array.from({ length: 3 * 128 * 128 }, (_, i) => Math.sin(i * 12.9898));
  await mkdir(inHome('photos'));
  for (const [name, bytes] of Object.entries({
    'whole.onnx': whole,
    'apart.onnx': model,
    'apart.onnx.data': data,
    'alone.onnx': model,
    'in.npy': writeNpy(float32([1, 3, 128, 128], wave)),
    'photos/a.png': await encodePng(draw(3).picture),
  }))
    await writeFile(inHome(name), bytes);
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** What a command prints as JSON about a model. */
async function told(...args: string[]) {
  const { code, stdout, stderr } = await whylight(home, ...args, '--json');
  expect([args[0], code, stderr.includes('whylight:') ? stderr : '']).toEqual([args[0], 0, '']);
  return JSON.parse(stdout);
}

describe('a model with its weights beside it is to every command what it is as one file', () => {
  it('check', async () => {
    const [whole, apart] = [await told('check', 'whole.onnx'), await told('check', 'apart.onnx')];
    expect({ ...apart, name: '', digest: '' }).toEqual({ ...whole, name: '', digest: '' });
  });

  it('attribute', async () => {
    for (const name of ['whole', 'apart'])
      await told(
        ...['attribute', '--model', `${name}.onnx`, '--tensor', 'in.npy', '--method', 'saliency'],
        ...['--target', '3', '-o', `${name}.npy`],
      );
    expect(await numbers('apart.npy')).toEqual(await numbers('whole.npy'));
  });

  it('explain', async () => {
    for (const name of ['whole', 'apart'])
      await told('explain', 'photos/a.png', '--model', `${name}.onnx`, '-o', `${name}-out`);
    expect(await numbers('apart-out/attribution.npy')).toEqual(await numbers('whole-out/attribution.npy'));
  });

  it('compile', async () => {
    for (const name of ['whole', 'apart'])
      await told('compile', `${name}.onnx`, '--method', 'grad-cam', '-o', `${name}-compiled.onnx`);
    expect(await readFile(inHome('apart-compiled.onnx'))).toEqual(
      await readFile(inHome('whole-compiled.onnx')),
    );
  });

  it('bench', async () => {
    const asked = ['--method', 'grad-cam', '--runs', '1'];
    const { rows } = await told('bench', '--model', 'apart.onnx', ...asked);
    expect(rows).toMatchObject([{ model: 'apart', median_ms: expect.any(Number) }]);
  });

  it('evaluate', async () => {
    const asked = ['--method', 'grad-cam', '--metric', 'deletion'];
    const rows = [];
    for (const name of ['whole', 'apart'])
      rows.push((await told('evaluate', 'photos', '--model', `${name}.onnx`, ...asked, '-o', name)).rows);
    const [whole, apart] = rows;
    expect(whole.length).toBeGreaterThan(0);
    expect(apart).toEqual(whole);
  });

  it('models add, which stores one file', async () => {
    const { path } = await told('models', 'add', 'apart.onnx', '--name', 'stored');
    await mkdir(inHome('elsewhere'));
    await writeFile(inHome('elsewhere/copied.onnx'), await readFile(path));
    await told('check', 'elsewhere/copied.onnx');
  });
});

describe('limits that the environment sets hold for every command that reads a model', () => {
  it.each([
    [
      'WHYLIGHT_MODEL_BYTES',
      '1000',
      /the model and its external data have \d+ bytes together, at most 1000 are/,
    ],
    ['WHYLIGHT_MODEL_NODES', '3', /the model has \d+ nodes, at most 3 are allowed/],
    ['WHYLIGHT_MODEL_ELEMENTS', '100', /has \d+ elements per image, at most 100 are allowed/],
  ])('%s', async (name, value, message) => {
    for (const command of [
      ['check', 'apart.onnx', '--budget', '0'],
      ['explain', 'photos/a.png', '--model', 'apart.onnx', '-o', 'refused'],
    ]) {
      const { code, stderr } = await runWith({ [name]: value }, home, ...command);
      expect([command[0], code]).toEqual([command[0], 2]);
      expect(stderr).toMatch(message);
    }
  });

  it('and what is no number is refused by its name', async () => {
    const { code, stderr } = await runWith({ WHYLIGHT_MODEL_NODES: 'many' }, home, 'check', 'apart.onnx');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('WHYLIGHT_MODEL_NODES: expected a whole number'),
    ]);
  });
});

describe('M1: a model whose weights are not there is refused by name', () => {
  it.each([
    [['check', 'alone.onnx']],
    [['models', 'add', 'alone.onnx']],
    [['explain', 'photos/a.png', '--model', 'alone.onnx', '-o', 'x']],
  ])('%j', async (args) => {
    await rm(inHome('apart.onnx.data'), { force: true });
    const { code, stderr } = await whylight(home, ...args);
    expect([code, stderr.trim().split('\n')]).toEqual([
      2,
      [
        expect.stringMatching(
          /^whylight: .*keeps weights in "apart.onnx.data": there is no such file beside the model; copy both into one folder/,
        ),
      ],
    ]);
  });
});
