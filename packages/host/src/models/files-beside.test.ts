import { execFileSync } from 'node:child_process';
import fs, { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { onnxFile } from '@whylight/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asOneFile, readModelFiles } from './files-beside.ts';
import { sha256Of } from './registered-model.ts';
import { ModelRegistry } from './registry.ts';
import { ModelStore } from './store.ts';

const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const modelOf = (location: string, entries: Readonly<Record<string, string>> = {}) =>
  onnxFile({
    initializer: [
      {
        ...{ name: 'w', dims: [4n], dataType: 1, dataLocation: 1 },
        externalData: Object.entries({ location, ...entries }).map(([key, value]) => ({ key, value })),
      },
    ],
  });
const whole = onnxFile({ initializer: [{ name: 'w', dims: [4n], dataType: 1, rawData: numbers }] });

const readModelFile = async (path: string) => asOneFile(await readModelFiles(path));

let above: string;
let folder: string;
const inFolder = (name: string) => join(folder, name);
const put = async (name: string, content: Uint8Array) => {
  await writeFile(inFolder(name), content);
  return inFolder(name);
};

beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'whylight-test-'));
  folder = join(above, 'models');
  await mkdir(folder);
  await writeFile(join(above, 'secret'), numbers);
});
afterEach(() => rm(above, { recursive: true, force: true }));

/** What `read` ends in, and the files that it opens one after the other. */
async function openedBy(read: () => Promise<unknown>) {
  const opened: unknown[] = [];
  const { openSync } = fs;
  fs.openSync = (...args) => {
    opened.push(args[0]);
    return openSync(...args);
  };
  syncBuiltinESMExports();
  try {
    return {
      error: await read().then(
        () => undefined,
        (error: unknown) => error,
      ),
      opened,
    };
  } finally {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  }
}

describe('a model with its data beside it', () => {
  test('is one file wherever it is read', async () => {
    const path = await put('m.onnx', modelOf('m.onnx.data'));
    await put('m.onnx.data', numbers);
    expect(await readModelFile(path)).toEqual(whole);
    await put('other', numbers);
    expect((await openedBy(() => readModelFile(path))).opened).toEqual([inFolder('m.onnx.data')]);
    const [model] = (await ModelRegistry.open([path])).list();
    expect(await model!.bytes()).toEqual(whole);
  });

  test('that is large lies in memory once, until one of its files is another', async () => {
    const many = new Uint8Array(65 * 2 ** 20).fill(1);
    const path = await put(
      'm.onnx',
      onnxFile({
        initializer: [
          {
            ...{ name: 'w', dims: [BigInt(many.length)], dataType: 2, dataLocation: 1 },
            externalData: [{ key: 'location', value: 'm.onnx.data' }],
          },
        ],
      }),
    );
    await put('m.onnx.data', many);
    const once = await readModelFile(path);
    expect(await readModelFile(path)).toBe(once);
    await put('m.onnx.data', many.fill(2));
    const again = await readModelFile(path);
    expect(again).not.toBe(once);
    expect([once.at(-1_000_000), again.at(-1_000_000)]).toEqual([1, 2]);
  });

  test('is another model once the data are others', async () => {
    const path = await put('m.onnx', modelOf('m.onnx.data'));
    await put('m.onnx.data', numbers);
    const [model] = (await ModelRegistry.open([path])).list();
    await put('m.onnx.data', numbers.toReversed());
    await expect(model!.bytes()).rejects.toThrow('model m: expected sha256');
    const [another] = (await ModelRegistry.open([path])).list();
    expect(another!.digest).not.toBe(model!.digest);
  });

  test('is stored as one file, which needs nothing beside it', async () => {
    const path = await put('m.onnx', modelOf('m.onnx.data'));
    await put('m.onnx.data', numbers);
    const added = await new ModelStore(join(above, 'store')).add(path);
    expect(new Uint8Array(readFileSync(added.path))).toEqual(whole);
    await rm(folder, { recursive: true });
    expect(new Uint8Array(await added.bytes())).toEqual(whole);
  });
});

describe('a model that is too large for one file', () => {
  const limits = { oneFile: modelOf('m.onnx.data').length, apart: 16 };
  const prepared = async () => {
    await put('m.onnx.data', numbers);
    return put('m.onnx', modelOf('m.onnx.data'));
  };

  test('keeps its weights beside it, and has the digest of the one file', async () => {
    const path = await prepared();
    const model = await readModelFiles(path, limits);
    expect([...model.weights.values()]).toEqual([numbers]);
    const [registered] = (await ModelRegistry.open([path])).list();
    expect(`sha256:${sha256Of(model.parts)}`).toBe(registered!.digest);
    expect(sha256Of(model.parts)).toBe(sha256Of([whole]));
  });

  test('is refused by who needs one file, with what to do', async () => {
    const path = await prepared();
    const model = await readModelFiles(path, limits);
    expect(() => asOneFile(model)).toThrow(
      expect.objectContaining({
        code: 'model_too_large',
        message: expect.stringMatching(
          /have \d+ bytes, and are needed as one file here, which has at most 2147483647; "check", "explain" and "attribute"/,
        ),
      }),
    );
  });

  test('lies in memory once as long as somebody holds one of its weights', async () => {
    const many = new Uint8Array(65 * 2 ** 20).fill(1);
    const path = await put(
      'm.onnx',
      onnxFile({
        initializer: ['a', 'b'].map((name, i) => ({
          ...{ name, dims: [BigInt(many.length)], dataType: 2, dataLocation: 1 },
          externalData: [{ key: 'location', value: `data.${i}` }],
        })),
      }),
    );
    await put('data.0', many);
    await put('data.1', many);
    const limits = { oneFile: 70 * 2 ** 20 };
    const weight = [...(await readModelFiles(path, limits)).weights.values()][1]!.subarray(1);
    setFlagsFromString('--expose-gc');
    for (let i = 0; i < 3; i++) {
      runInNewContext('gc')();
      await new Promise((resolve) => setTimeout(resolve));
    }
    const again = await readModelFiles(path, limits);
    // Compared here: the difference of such buffers takes a test all of its memory.
    expect([...again.weights.values()][1]!.buffer === weight.buffer).toBe(true);
  });
});

describe('M1: what is not a regular file beside the model is refused by name', () => {
  const refusals: [what: string, prepare: () => unknown, code: string, message: RegExp][] = [
    [
      'a symbolic link',
      () => symlink(join(above, 'secret'), inFolder('d')),
      'external',
      /"d".*it is a symbolic link/,
    ],
    [
      'a link to a file of the folder',
      () => symlink('m.onnx', inFolder('d')),
      'external',
      /it is a symbolic link/,
    ],
    ['a link to a device', () => symlink('/dev/zero', inFolder('d')), 'external', /it is a symbolic link/],
    ['a folder', () => mkdir(inFolder('d')), 'external', /it is not a regular file/],
    ['a pipe', () => execFileSync('mkfifo', [inFolder('d')]), 'external', /it is not a regular file/],
    [
      'nothing',
      () => undefined,
      'invalid',
      /there is no such file beside the model; copy both into one folder/,
    ],
    [
      'a file that is too short',
      () => put('d', numbers.subarray(4)),
      'invalid',
      /bytes 0 to 16 of "d", which has 12/,
    ],
  ];
  test.each(refusals)('%s', async (_, prepare, code, message) => {
    const path = await put('m.onnx', modelOf('d'));
    await prepare();
    await expect(readModelFile(path)).rejects.toMatchObject({
      code: code === 'external' ? 'model_external_data_forbidden' : 'invalid_model',
      message: expect.stringMatching(message),
    });
    // A folder of models can be listed in spite of it.
    const [model] = (await ModelRegistry.open([path])).list();
    await expect(model!.bytes()).rejects.toThrow(message);
  });

  test.each([
    '../secret',
    '..',
    'sub/../../secret',
    '/etc/passwd',
    '/dev/zero',
    '*/_ORT_MEM_ADDR_/*',
    'm.onnx/../../secret',
    '.hidden',
  ])('%s is never opened', async (location) => {
    const path = await put('m.onnx', modelOf(location));
    await put('.hidden', numbers);
    const { error, opened } = await openedBy(() => readModelFile(path));
    expect(error).toMatchObject({ code: 'model_external_data_forbidden' });
    expect(opened).toEqual([]);
  });
});
