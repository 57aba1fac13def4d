import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imagenet } from '@whylight/core/preparation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ModelNotFoundError, ModelRegistry } from './registry.ts';
import { ModelStore } from './store.ts';
import type { Zoo } from './zoo.ts';

const bytes = Buffer.alloc(200_000, 'model ');
const sha256 = createHash('sha256').update(bytes).digest('hex');

let folder: string;
let home: string;
const put = async (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-test-'));
  home = join(folder, 'store');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the registry', () => {
  test('without a manifest assumes ImageNet and says so', async () => {
    const path = await put('net.onnx', bytes);
    const model = await (await ModelRegistry.open([])).get(path);
    expect(model).toMatchObject({ name: 'net', digest: `sha256:${sha256}`, labels: null });
    expect(model.sources).toEqual([]);
  });

  test('takes <model>.json, and else the entry of models.json', async () => {
    const entry = (name: string) => ({
      name,
      file: 'b.onnx',
      preprocessing: { scale: 'x (0-255)' },
      unknown: 1,
    });
    await put('a.onnx', bytes);
    await put('a.json', JSON.stringify({ name: 'own', labels: 'names.csv' }));
    await put('names.csv', 'ID,class\n0,cat\n');
    await put('b.onnx', bytes);
    await put('models.json', JSON.stringify([{ file: 'a.onnx', name: 'not this' }, entry('listed')]));
    const models = (await ModelRegistry.open([folder])).list();
    expect(models.map(({ name, labels }) => [name, labels])).toEqual([
      ['own', [{ en: 'cat', zh: null }]],
      ['listed', null],
    ]);
    expect(models[1]!.sources).toEqual([{ from: 'manifest', parts: { scale: 1 } }]);
  });

  test('finds by name, by digest and by the name that it was given', async () => {
    const registry = await ModelRegistry.open([{ name: 'mine', path: await put('net.onnx', bytes) }]);
    expect((await registry.get('mine')).digest).toBe(`sha256:${sha256}`);
    expect((await registry.get(`sha256:${sha256}`)).name).toBe('mine');
    await expect(registry.get('other')).rejects.toThrow(
      'model other: not found; expected one of mine, or the path of an .onnx file',
    );
    await expect(registry.get('/nowhere/net.onnx')).rejects.toThrow(
      new ModelNotFoundError('model file net.onnx: not found; give the path of an .onnx file'),
    );
  });

  test('reads a model only if its digest is the pinned one', async () => {
    const path = await put('net.onnx', bytes);
    await put('net.json', JSON.stringify({ sha256: '0'.repeat(64) }));
    const model = await (await ModelRegistry.open([])).get(path);
    await expect(model.bytes()).rejects.toThrow(`expected sha256 ${'0'.repeat(64)}, got ${sha256}`);
  });

  test('reads a model only if it has not changed since', async () => {
    const path = await put('net.onnx', bytes);
    const model = await (await ModelRegistry.open([])).get(path);
    expect(await model.bytes()).toEqual(bytes);
    await put('net.onnx', bytes.subarray(1));
    await expect(model.bytes()).rejects.toThrow(`model net: expected sha256 ${sha256}`);
  });

  test('every member that changes an answer changes the preprocessing digest, and no other does', async () => {
    const digest = async (manifest: object) => {
      await put('net.json', JSON.stringify(manifest));
      return (await (await ModelRegistry.open([])).get(await put('net.onnx', bytes))).preprocessingDigest;
    };
    const variants = [
      {},
      { preprocessing: { ...imagenet, mean: [0, 0, 0] } },
      { preprocessing: { ...imagenet, resize: 232 } },
      { cam_tensor: 'relu' },
      { labels: ['a'] },
    ];
    const digests = [];
    for (const variant of variants) digests.push(await digest(variant));
    expect(new Set(digests).size).toBe(variants.length);
    expect(await digest({ name: 'other', licence: 'MIT', preprocessing: imagenet })).toBe(digests[0]);
  });

  const wrong: [object, string][] = [
    [{ preprocessing: { mean: 'grey' } }, 'manifest of net.onnx: preprocessing.mean'],
    [
      { preprocessing: { std: [1, 0, 1] } },
      'manifest of net.onnx: preprocessing.std: expected numbers above 0',
    ],
    [{ labels: '../names.csv' }, 'expected the name of a file in the model'],
    [{ sha256: 'abc' }, 'manifest of net.onnx: sha256: expected 64'],
    [{ labels: 'missing.csv' }, 'label file missing.csv cannot be read'],
  ];
  test.each(wrong)('refuses the manifest %j', async (manifest, message) => {
    await put('net.json', JSON.stringify(manifest));
    const path = await put('net.onnx', bytes);
    await expect(ModelRegistry.open([path])).rejects.toThrow(message);
  });
});

describe('adding a model', () => {
  test('copies it with name, labels and preset into a registry of its own', async () => {
    const path = await put('net.onnx', bytes);
    const labels = await put('names.csv', 'ID,class,Chinese\n0,cat,猫\n');
    await new ModelStore(home).add(path, { name: 'pets', labels, preset: 'imagenet-half' });
    await rm(path);

    const model = await (await new ModelStore(home).registry()).get('pets');
    expect(await model.bytes()).toEqual(bytes);
    expect(model.labels).toEqual([{ en: 'cat', zh: '猫' }]);
    expect(model.manifest.preset).toBe('imagenet-half');
    expect(await readdir(home)).toEqual([sha256]);
  });

  test('does not turn a guess of its preprocessing into a fact', async () => {
    const store = new ModelStore(home);
    const path = await put('net.onnx', bytes);
    expect(await store.add(path, { labels: await put('names.csv', 'ID,class\n0,cat\n') })).toMatchObject({
      sources: [],
      labels: [{ en: 'cat', zh: null }],
    });
    expect(await store.add(path, { preset: 'imagenet' })).toMatchObject({
      ...{ sources: [], manifest: { preset: 'imagenet' } },
    });
  });

  test('the same bytes do not lose their name to another', async () => {
    const store = new ModelStore(home);
    const path = await put('net.onnx', bytes);
    await store.add(path, { name: 'mine' });
    await expect(store.add(path, { name: 'other' })).rejects.toThrow(
      'this model is here as mine: use that name, or remove it before it gets another',
    );
    expect((await store.registry()).list().map(({ name }) => name)).toEqual(['mine']);
  });

  test('the same bytes again replace what was said about them', async () => {
    const store = new ModelStore(home);
    const path = await put('net.onnx', bytes);
    await store.add(path, { name: 'mine' });
    await store.add(path, { name: 'mine', preset: 'imagenet' });
    const models = (await store.registry()).list();
    expect(models.map(({ name, manifest }) => [name, manifest.preset])).toEqual([['mine', 'imagenet']]);
  });

  test('two models cannot have one name', async () => {
    const store = new ModelStore(home);
    await store.add(await put('net.onnx', bytes));
    await expect(store.add(await put('else/net.onnx', bytes.subarray(1)))).rejects.toThrow(
      'another model is called net',
    );
    expect(await readdir(home)).toEqual([sha256]);
  });

  test('a model that is not the one of its manifest is refused', async () => {
    const path = await put('net.onnx', bytes);
    await put('net.json', JSON.stringify({ sha256: '0'.repeat(64) }));
    const add = new ModelStore(home).add(path);
    await expect(add).rejects.toThrow(`expected sha256 ${'0'.repeat(64)}, got ${sha256}`);
    expect(await readdir(home)).toEqual([]);
  });

  test.each([['../up'], [''], ['a b'], ['.hidden']])('the name %j is refused', async (name) => {
    await expect(new ModelStore(home).add(await put('net.onnx', bytes), { name })).rejects.toThrow(
      'model name',
    );
  });

  test.each(['efficientnet-lite0', 'shapes'])(
    'the name of a network that comes along, %s, is refused: it would hide the other',
    async (name) => {
      await expect(new ModelStore(home).add(await put(`${name}.onnx`, bytes))).rejects.toThrow(
        `model name: ${name} is a network that comes with Whylight`,
      );
    },
  );

  test('is undone by removing it, by its name and no path', async () => {
    const store = new ModelStore(home);
    const path = await put('net.onnx', bytes);
    await store.add(path);
    await expect(store.remove(path)).rejects.toThrow(
      new ModelNotFoundError(`model ${path}: not registered; registered models: net`),
    );
    await store.remove('net');
    expect((await store.registry()).list()).toEqual([]);
  });
});

describe('pulling a model', () => {
  const pull = async (answer: RequestListener, pinned: Partial<Zoo['models'][0]> = {}) => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/zoo/`;
    const entry = { name: 'net-1', path: 'a/net.onnx', bytes: bytes.length, sha256, ...pinned };
    const progress: number[] = [];
    try {
      const store = new ModelStore(home, { base, models: [entry] });
      const model = await store.pull('net-1', { onProgress: (received) => progress.push(received) });
      return { model, progress };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  test('follows a redirect, tells the progress and registers the model', async () => {
    const { model, progress } = await pull((request, response) => {
      if (request.url === '/zoo/a/net.onnx') response.writeHead(302, { location: '/elsewhere' }).end();
      else if (request.url === '/elsewhere') response.end(bytes);
    });
    expect(await model.bytes()).toEqual(bytes);
    expect(model.name).toBe('net-1');
    expect(progress.at(-1)).toBe(bytes.length);
  });

  const broken: [string, RequestListener, Partial<Zoo['models'][0]>, string][] = [
    [
      'other bytes of the same length',
      (_, response) => response.end(Buffer.alloc(bytes.length)),
      {},
      `expected sha256 ${sha256}, got ${createHash('sha256').update(Buffer.alloc(bytes.length)).digest('hex')}`,
    ],
    [
      'too few bytes',
      (_, response) => response.end(bytes.subarray(9)),
      {},
      'expected 200000 bytes, got 199991',
    ],
    ['too many bytes', (_, response) => response.end(bytes), { bytes: 100 }, 'expected 100 bytes, got more'],
    ['404', (_, response) => response.writeHead(404).end('gone'), {}, 'failed: HTTP 404'],
    [
      'a connection that breaks',
      (_, response) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 1000), () => response.destroy());
      },
      {},
      'download from 127.0.0.1',
    ],
  ];
  test.each(broken)('%s: an error, and nothing is left behind', async (_, answer, pinned, message) => {
    await expect(pull(answer, pinned)).rejects.toThrow(message);
    expect(await readdir(home)).toEqual([]);
  });

  test('a name that the index does not have is an error that lists what it has', async () => {
    await expect(new ModelStore(home).pull('alexnet')).rejects.toThrow(
      /model alexnet: not in the index; expected one of resnet18-v1-7, /,
    );
  });
});
