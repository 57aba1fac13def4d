import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classifierOf, prepare, preparedFor } from '@whylight/core/preparation';
import { networkOf } from '@whylight/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { colourNetwork } from '../testing/network.ts';
import { type Asked, modelAt, withAsked } from './registered-model.ts';
import { ModelStore } from './store.ts';

let folder: string;
const put = async (name: string, content: string | Uint8Array | object) => {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  const bytes =
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
  await writeFile(path, bytes);
  return path;
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const processor = {
  ...{ image_processor_type: 'ViTImageProcessor', size: { height: 16, width: 16 }, resample: 3 },
  ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] },
};

/** What is found out of the model at `path`, with what is asked for. */
async function found(path: string, asked: Asked = {}) {
  const model = withAsked(await modelAt(path, undefined), asked);
  return prepare(model, await classifierOf(model));
}

describe('a model', () => {
  test('with nothing beside it: the file’s size, the rest assumed and said', async () => {
    const { report, warnings } = await found(await put('m.onnx', colourNetwork()));
    expect([report.size, report.layout.from, report.mean.from]).toEqual([
      ...[{ value: [16, 16], from: 'file' }, 'file', 'assumed'],
    ]);
    expect(warnings).toEqual([
      {
        code: 'preprocessing_assumed',
        message: expect.stringMatching(
          /assumed: .*resize 18; .*resample bilinear; scale 1\/255; mean 0.485,0.456,0.406; std 0.229/,
        ),
      },
    ]);
  });

  test('an assumption is said whatever else is given', async () => {
    const path = await put('m.onnx', colourNetwork());
    const asked = { mean: [0.5], std: [0.5], fit: 'stretch', scale: 1 / 255, channels: 'rgb' } as const;
    const [warning, ...more] = (await found(path, { parts: asked })).warnings;
    expect([warning?.message, more]).toEqual([
      'nothing states these parts of the preprocessing, so they are assumed: resample bilinear. If the model was trained otherwise, state them (as options, or in the manifest)',
      [],
    ]);
    expect((await found(path, { parts: { ...asked, resample: 'nearest' } })).warnings).toEqual([]);
  });

  test('with its folder as optimum writes it', async () => {
    const path = await put('m.onnx', colourNetwork());
    await put('preprocessor_config.json', processor);
    await put('config.json', { model_type: 'vit', id2label: { 0: 'red', 1: 'green', 2: 'blue' } });
    const { report, names, warnings } = await found(path);
    expect(report).toMatchObject({
      layout: { value: 'NCHW', from: 'file' },
      size: { value: [16, 16], from: 'preprocessor_config.json' },
      fit: { value: 'stretch', from: 'preprocessor_config.json' },
      resample: { value: 'bicubic', from: 'preprocessor_config.json' },
      labels: { value: 3, from: 'config.json' },
    });
    expect([names.classes?.[2]?.en, warnings]).toEqual(['blue', []]);
  });

  test('a manifest counts before these, an option before a manifest', async () => {
    const path = await put('m.onnx', colourNetwork());
    await put('preprocessor_config.json', processor);
    await put('m.json', { preprocessing: { mean: 0, std: 1 }, labels: ['a', 'b', 'c'] });
    const { report } = await found(path, { parts: { std: [2] } });
    expect([report.mean, report.std, report.scale.from, report.labels?.from]).toEqual([
      { value: [0], from: 'manifest' },
      { value: [2], from: 'option' },
      ...['preprocessor_config.json', 'manifest'],
    ]);
  });

  test.each([
    [
      'is its manifest, and no list of names',
      { preprocessing: { mean: 0, std: 1 } },
      ['manifest', undefined],
    ],
    ['names its classes where it is a list', ['a', 'b', 'c'], ['assumed', 'manifest']],
    ['names its classes where it is a map', { 0: 'a', 1: 'b', 2: 'c' }, ['assumed', 'manifest']],
  ])('labels.json beside labels.onnx %s', async (_, content, expected) => {
    const path = await put('labels.onnx', colourNetwork());
    await put('labels.json', content);
    const { report, warnings } = await found(path);
    expect([report.mean.from, report.labels?.from]).toEqual(expected);
    expect(warnings.map(({ code }) => code)).toEqual(['preprocessing_assumed']);
  });

  test('M3: a size that its file does not take is refused, and the model is named', async () => {
    const path = await put('m.onnx', colourNetwork());
    await put('preprocessor_config.json', { ...processor, size: { height: 24, width: 24 } });
    await expect(found(path)).rejects.toThrow(/^model m: /);
  });

  test('M3: a mean of another length is refused: what, where, expected, got', async () => {
    const path = await put('m.onnx', colourNetwork());
    await put('preprocessor_config.json', { ...processor, image_mean: [0.5, 0.5] });
    await expect(found(path)).rejects.toThrow(
      "model m: mean: expected one number, or 3 for the network's channels; got 2 (from preprocessor_config.json)",
    );
  });

  test('the same file under another preset has another digest, and without one its old one', async () => {
    const model = await modelAt(await put('m.onnx', colourNetwork()), undefined);
    const digests = [{}, { preset: 'imagenet-half' as const }, { parts: { mean: [0] } }].map(
      (asked) => withAsked(model, asked).preprocessingDigest,
    );
    expect(new Set(digests).size).toBe(3);
    expect(digests[0]).toBe(model.preprocessingDigest);
    await put('preprocessor_config.json', processor);
    expect((await modelAt(model.path, undefined)).preprocessingDigest).not.toBe(digests[0]);
  });
});

describe('names of classes', () => {
  const one = () => colourNetwork({ weights: [[1, 0, 0]], bias: [0] });

  test('two for one output are its opposite and itself', async () => {
    const path = await put('m.onnx', one());
    await put('classes.txt', 'healthy\nill\n');
    const { names } = await found(path);
    expect([names.negative?.en, names.classes?.map(({ en }) => en)]).toEqual(['healthy', ['ill']]);
  });

  test.each([
    ['config.json', '{"id2label": {"0": "a"}}', 'from config.json; '],
    ['m.json', '{"labels": ["a", "b", "c", "d"]}', 'from the manifest; '],
  ])('M3: another number of them in %s is refused', async (name, text, from) => {
    const path = await put('m.onnx', colourNetwork());
    await put(name, text);
    await expect(found(path)).rejects.toThrow(
      new RegExp(
        `^model m: labels: expected 3, one for each class, got \\d ${from.replace(/[()]/g, '\\$&')}`,
      ),
    );
  });

  test('M3: a file of another number, found by its name alone, is said and not used', async () => {
    const path = await put('m.onnx', colourNetwork());
    await put('classes.txt', 'a\nb\n');
    const { names, report, warnings } = await found(path);
    expect([names.classes, report.labels]).toEqual([null, null]);
    expect(warnings).toContainEqual({
      code: 'labels_not_used',
      message: expect.stringContaining('classes.txt beside the model is not used: expected 3 names'),
    });
  });

  test('M3: an option puts them right', async () => {
    const path = await put('m.onnx', colourNetwork());
    await put('classes.txt', 'a\nb\n');
    const labels = await put('right.csv', 'index,name\n0,x\n1,y\n2,z\n');
    const { names, report } = await found(path, { labels });
    expect([names.classes?.length, report.labels?.from]).toEqual([3, 'option']);
  });

  test('of a thousand classes without names those of ImageNet are offered, and not assumed', async () => {
    const weights = Array.from({ length: 1000 }, () => [1, 1, 1]);
    const path = await put('m.onnx', colourNetwork({ weights, bias: weights.map(() => 0) }));
    const { names, warnings } = await found(path);
    expect(names.classes).toBeNull();
    expect(warnings.map(({ code, message }) => [code, message])).toContainEqual([
      ...['classes_unnamed', expect.stringContaining('name them with --labels imagenet')],
    ]);
    const named = await found(path, { labels: 'imagenet' });
    expect(named.names.classes?.[967]).toEqual({ en: 'espresso', zh: '浓缩咖啡' });
    expect(named.warnings.map(({ code }) => code)).not.toContain('classes_unnamed');
  });
});

test('each flag says one thing: a crop of the file’s own size changes nothing', async () => {
  const path = await put('m.onnx', colourNetwork({ side: 64 }));
  const [without, withCrop] = [await found(path), await found(path, { parts: { crop: 64 } })];
  expect(withCrop.preprocessing).toEqual({ ...without.preprocessing, crop: 64 });
  const resized = await found(path, { parts: { resize: 64 } });
  expect(resized.preprocessing).toEqual({ ...without.preprocessing, resize: 64 });
});

test('a model that is added keeps what was said beside it, and a fixed input its shape', async () => {
  const gated = networkOf([3, 16, 16], (layer, image, g) =>
    layer('scores', 'Mul', [
      layer('flat', 'Flatten', [layer('pooled', 'GlobalAveragePool', [image])]),
      g.input('gate', 'float32', [1, 3]),
    ]),
  );
  await put('from/m.onnx', gated);
  await put('from/preprocessor_config.json', processor);
  await put('from/classes.txt', 'red\ngreen\nblue\n');
  const gate = { dtype: 'float32' as const, shape: [1, 3], data: [1, 2, 3] };
  const store = new ModelStore(join(folder, 'store'));
  await store.add(join(folder, 'from/m.onnx'), { fixed_inputs: { gate }, parts: { std: [0.25] } });
  await rm(join(folder, 'from'), { recursive: true });

  const model = await (await store.registry()).get('m');
  expect(model.manifest.fixed_inputs).toEqual({ gate });
  const { preprocessing, names, report } = await preparedFor(model);
  expect(preprocessing).toMatchObject({
    mean: [0.5, 0.5, 0.5],
    std: [0.25],
    resample: 'bicubic',
    fit: 'stretch',
  });
  expect([names.classes?.length, report.std.from]).toEqual([3, 'manifest']);
});
