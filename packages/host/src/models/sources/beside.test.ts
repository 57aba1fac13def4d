import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metadataIn, mostTextBytes } from '@whylight/core/preparation';
import { onnxFile } from '@whylight/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findBeside } from './beside.ts';
import { metadataAt } from './file-metadata.ts';
import { readTextBeside } from './text-beside.ts';

let above: string;
let folder: string;
let model: string;
const put = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'whylight-test-'));
  folder = join(above, 'models');
  await mkdir(folder);
  await writeFile(join(above, 'secret'), '["secret"]');
  model = join(folder, 'm.onnx');
  await writeFile(model, onnxFile({}));
});
afterEach(() => rm(above, { recursive: true, force: true }));

const from = () => findBeside(model).sources.map((source) => source.from);
const names = () => {
  const { labels } = findBeside(model);
  return labels && [labels.from, labels.value.map(({ en }) => en)];
};

describe('beside a model', () => {
  test('nothing is found where there is nothing', () => {
    expect(findBeside(model)).toEqual({ sources: [], labels: null, task: undefined, notes: [] });
  });

  test('its processor counts before its configuration', async () => {
    await put('config.json', JSON.stringify({ model_type: 'vit', id2label: ['a', 'b'], image_size: 224 }));
    await put('preprocessor_config.json', '{"image_mean": 0.5}');
    expect(from()).toEqual(['preprocessor_config.json', 'config.json']);
    expect(names()).toEqual(['config.json', ['a', 'b']]);
  });

  test('a config.json of another program is left alone', async () => {
    await put('config.json', '{"port": 80}');
    expect(findBeside(model)).toEqual({ sources: [], labels: null, task: undefined, notes: [] });
  });

  test.each([
    ['classes.txt', 'cat\r\ntwo words\n\n', ['cat', 'two words']],
    ['labels.txt', '0 cat\n1: dog\n', ['cat', 'dog']],
    ['labels.txt', '101 Dalmatians\n1 dog\n', ['101 Dalmatians', '1 dog']],
    ['labels.json', '{"1": "dog", "0": "cat"}', ['cat', 'dog']],
    ['labels.csv', 'index,name\n0,cat\n1,dog\n', ['cat', 'dog']],
    ['classes.csv', 'name\ncat\ndog\n', ['cat', 'dog']],
  ])('names in %s: %j', async (file, text, labels) => {
    await put(file, text);
    expect(names()).toEqual([file, labels]);
  });

  test('names in the metadata of the file', async () => {
    const metadataProps = [{ key: 'names', value: "{0: 'cat', 1: 'dog'}" }];
    await put('m.onnx', onnxFile({}, { metadataProps }));
    expect(names()).toEqual(['metadata', ['cat', 'dog']]);
  });
});

describe('M3: a file beside the model', () => {
  test.each(['preprocessor_config.json', 'config.json'])('%s that is no JSON', async (name) => {
    await put(name, '{');
    expect(() => findBeside(model)).toThrow(name);
  });

  test.each(['preprocessor_config.json', 'config.json'])('%s of 10 MB', async (name) => {
    await put(name, `"${'x'.repeat(10_000_000)}"`);
    expect(() => findBeside(model)).toThrow(
      `file "${name}" cannot be read: expected at most ${mostTextBytes} bytes`,
    );
  });

  test('metadata of 10 MB', async () => {
    const metadataProps = [{ key: 'names', value: 'x'.repeat(10_000_000) }];
    await put('m.onnx', onnxFile({}, { metadataProps }));
    expect(() => findBeside(model)).toThrow('metadata: expected at most');
  });

  const unused: [name: string, text: string, why: string][] = [
    ['classes.txt', 'cat\n\ndog\n', 'label file: line 2 is empty'],
    ['labels.json', '{"port": 80}', 'label file: expected JSON, a list of names'],
    ['labels.txt', 'x'.repeat(10_000_000), `expected at most ${mostTextBytes} bytes`],
  ];
  test.each(unused)('%s that is no list of names is said, and not used', async (name, text, why) => {
    await put(name, text);
    expect(findBeside(model)).toMatchObject({ labels: null, notes: [expect.stringContaining(why)] });
    expect(findBeside(model).notes[0]).toMatch(new RegExp(`^${name} is not used: `));
  });
});

describe('nothing outside the folder is read', () => {
  test.each(['preprocessor_config.json', 'config.json'])('through a link, %s', async (name) => {
    await symlink(join(above, 'secret'), join(folder, name));
    expect(() => findBeside(model)).toThrow(`file "${name}" cannot be read: it is a link to a file outside`);
  });

  test('through a link, labels.json, which is said', async () => {
    await symlink(join(above, 'secret'), join(folder, 'labels.json'));
    const { labels, notes } = findBeside(model);
    expect([labels, notes]).toEqual([null, [expect.stringContaining('it is a link to a file outside')]]);
  });

  test('a link within the folder is a file of the folder', async () => {
    await put('names', 'cat\ndog\n');
    await symlink('names', join(folder, 'classes.txt'));
    expect(names()).toEqual(['classes.txt', ['cat', 'dog']]);
  });

  test.each(['../secret', '/etc/passwd', '..', 'a/../../secret', 'a\\b', '', 'a\0b'])(
    'by the name %j',
    (name) => {
      expect(() => readTextBeside(folder, name)).toThrow('expected the name of a file in the model');
    },
  );

  test('a folder and a device of such a name', async () => {
    await mkdir(join(folder, 'config.json'));
    expect(() => findBeside(model)).toThrow('it is not a regular file');
  });
});

describe('metadata are found without reading the network', () => {
  const metadataProps = [
    { key: 'a', value: '1' },
    { key: 'ü', value: '' },
  ];

  test('in a file and in memory', async () => {
    const bytes = onnxFile({}, { metadataProps });
    await put('m.onnx', bytes);
    const expected = new Map([
      ['a', '1'],
      ['ü', ''],
    ]);
    expect([metadataAt(model), metadataIn(bytes)]).toEqual([expected, expected]);
  });

  test('whatever the bytes are, it ends without an error', () => {
    const bytes = onnxFile({}, { metadataProps });
    for (let cut = 0; cut < bytes.length; cut++) metadataIn(bytes.subarray(0, cut));
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0, 0x7f, 0x80, 0xff]) metadataIn(bytes.with(at, value));
  });
});
