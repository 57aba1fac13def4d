import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { classifierOf, prepare } from '@whylight/core/preparation';
import { dataBeside, tinyNetwork } from '@whylight/core/testing';
import { describe, expect, test } from 'vitest';
import { memoryFile } from '../testing/memory-file.ts';
import { modelOfFiles } from './described-files.ts';

const tiny = tinyNetwork();
const model = memoryFile('tiny.onnx', tiny);
const sha256 = createHash('sha256').update(tiny).digest('hex');
const own = (name: string) =>
  memoryFile(name, readFileSync(new URL(`../../../../models/efficientnet-lite0/${name}`, import.meta.url)));

describe('what lies beside a model', () => {
  test('says how images become its input and what its classes are called, as on Node', async () => {
    const files = ['labels.csv', 'efficientnet-lite0.onnx', 'efficientnet-lite0.json'].map(own);
    const found = await modelOfFiles(files);
    const { names, preprocessing, report, warnings } = prepare(found, await classifierOf(found));
    expect(names.classes?.[967]).toEqual({ en: 'espresso', zh: '浓缩咖啡' });
    expect(preprocessing).toMatchObject({ mean: [127, 127, 127], resample: 'bicubic', resize: 256 });
    expect([report.mean.from, report.labels?.from, warnings]).toEqual(['manifest', 'manifest', []]);
  });

  test('a processor and a list of names count without a manifest', async () => {
    const found = await modelOfFiles([
      memoryFile('preprocessor_config.json', { image_mean: 0.25, image_std: 0.5 }),
      memoryFile('classes.txt', 'cat\ndog\nemu\n'),
      model,
    ]);
    expect(found.labels?.map(({ en }) => en)).toEqual(['cat', 'dog', 'emu']);
    expect(found.sources.map(({ from }) => from)).toEqual(['preprocessor_config.json']);
  });

  test('is called as it likes: no name is one that objects inherit', async () => {
    const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const found = await modelOfFiles([model, ...odd.map((name) => memoryFile(name, 'x'))]);
    expect([found.name, found.labels, found.sources]).toEqual(['tiny', null, []]);
    const manifest = memoryFile('tiny.json', { labels: 'toString' });
    await expect(modelOfFiles([model, manifest])).rejects.toThrow(
      'label file toString cannot be read: it is not beside the model',
    );
    const there = await modelOfFiles([model, manifest, memoryFile('toString', 'cat\ndog\nemu')]);
    expect(there.labels?.map(({ en }) => en)).toEqual(['cat', 'dog', 'emu']);
  });

  test('that is not what it should be is named', async () => {
    const wrong = memoryFile('preprocessor_config.json', '{');
    await expect(modelOfFiles([model, wrong])).rejects.toThrow(
      'file "preprocessor_config.json": expected JSON',
    );
  });
});

describe('weights beside a model', () => {
  const apart = dataBeside(tiny, 'weights.bin');
  const file = memoryFile('tiny.onnx', apart.model);

  test('are read, and the digest is of both together', async () => {
    const found = await modelOfFiles([memoryFile('weights.bin', apart.data), file]);
    const whole = await modelOfFiles([memoryFile('whole.onnx', (await found.file()).bytes)]);
    expect((await classifierOf(found)).classes).toBe(3);
    expect(found.sha256).toBe(whole.sha256);
  });

  test('that are not there are named', async () => {
    await expect(modelOfFiles([file, memoryFile('labels.txt', 'a')])).rejects.toThrow(
      'the model keeps weights in "weights.bin": there is no such file beside the model',
    );
  });
});

describe('a digest', () => {
  test('is the one of the file', async () => {
    expect((await modelOfFiles([model])).sha256).toBe(sha256);
    expect((await modelOfFiles([model], sha256.toUpperCase())).sha256).toBe(sha256);
  });

  test('of another file is refused, whoever states it', async () => {
    const other = sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const message = `expected sha256 ${other}, got ${sha256}`;
    await expect(modelOfFiles([model], other)).rejects.toThrow(message);
    await expect(modelOfFiles([model, memoryFile('tiny.json', { sha256: other })])).rejects.toThrow(message);
  });
});

describe('which file is the model', () => {
  test('the one that ends in .onnx, or the only one', async () => {
    expect((await modelOfFiles([memoryFile('download', tiny)])).name).toBe('download');
    await expect(modelOfFiles([model, memoryFile('b.onnx', tiny)])).rejects.toThrow(
      'expected one model, got 2 .onnx files: "tiny.onnx", "b.onnx"',
    );
    await expect(modelOfFiles([memoryFile('a.txt', 'a'), memoryFile('b.txt', 'b')])).rejects.toThrow(
      'expected an .onnx file among the files, got "a.txt", "b.txt"',
    );
    await expect(modelOfFiles([])).rejects.toThrow('expected an .onnx file among the files, got none');
  });

  test('a file that is no model is refused when it is read', async () => {
    const found = await modelOfFiles([
      memoryFile('photo.jpg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3)),
    ]);
    await expect(classifierOf(found)).rejects.toMatchObject({ code: 'invalid_model' });
  });
});
