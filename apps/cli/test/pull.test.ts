import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Manifest } from '@whylight/host';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { whylight } from './run.ts';

const shapes = fileURLToPath(new URL('../../../models/shapes/shapes.onnx', import.meta.url));

let home: string;
let server: Server;
let base: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-pull-'));
  const model = await readFile(shapes);
  const files: Record<string, Buffer> = { '/shapes.onnx': model, '/short.onnx': model.subarray(0, 9000) };
  const altered = Buffer.from(model);
  altered[9000]! ^= 1;
  files['/altered.onnx'] = altered;
  server = createServer((request, response) => {
    if (request.url === '/moved.onnx') response.writeHead(302, { Location: '/shapes.onnx' }).end();
    else response.writeHead(files[request.url!] ? 200 : 404).end(files[request.url!]);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sha256 = createHash('sha256').update(model).digest('hex');
  const names = ['shapes', 'moved', 'short', 'altered', 'absent'];
  const manifest = JSON.parse(await readFile(shapes.replace(/onnx$/, 'json'), 'utf8')) as Manifest;
  const entry = (name: string) => ({
    name: `my-${name}`,
    path: `${name}.onnx`,
    bytes: model.length,
    sha256,
    preprocessing: manifest.preprocessing,
  });
  await writeFile(join(home, 'index.json'), JSON.stringify({ base, models: names.map(entry) }));
});
afterAll(async () => {
  server.close();
  await rm(home, { recursive: true, force: true });
});

const pull = (...args: string[]) => whylight(home, 'models', 'pull', ...args);

it.each(['my-shapes', 'my-moved'])('fetches %s, which every command then takes by its name', async (name) => {
  expect(await pull(name, '--index', 'index.json')).toMatchObject({ code: 0 });
  const { stdout } = await whylight(home, 'check', name, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ name, classes: 10 });
  await whylight(home, 'models', 'remove', name);
});

it.each([
  ['my-short', /expected \d+ bytes, got 9000/],
  ['my-altered', /expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}/],
  ['my-absent', /HTTP 404/],
])('refuses %s with one sentence and keeps nothing of it', async (name, sentence) => {
  const { code, stderr } = await pull(name, '--index', 'index.json');
  expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
  expect(stderr).toMatch(sentence);
  expect(await readdir(join(home, 'models'))).toEqual([]);
});

it('takes no file for a model of the index that does not have its SHA-256, wherever it comes from', async () => {
  const { code, stderr } = await pull('squeezenet1.1-7', '--url', `${base}shapes.onnx`);
  expect([code, stderr]).toEqual([1, expect.stringContaining('download: expected')]);
});

it('says what an index should be', async () => {
  await writeFile(join(home, 'odd.json'), '{"models": 3}');
  const { code, stderr } = await pull('x', '--index', 'odd.json');
  expect([code, stderr]).toEqual([2, expect.stringContaining('odd.json is no index of models')]);
});
