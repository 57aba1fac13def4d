import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32, writeNpy } from '@whylight/core';
import { networkOf } from '@whylight/core/testing';
import { encodePng } from '@whylight/host';
import { colourNetwork } from '@whylight/host/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draw } from '../../../models/shapes/draw.ts';
import { whylight } from './run.ts';

let home: string;
const put = async (name: string, content: string | Uint8Array) => {
  await mkdir(join(home, name, '..'), { recursive: true });
  await writeFile(join(home, name), content);
};
const processor = JSON.stringify({
  ...{ image_processor_type: 'ViTImageProcessor', size: { height: 16, width: 16 }, resample: 2 },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], rescale_factor: 1 / 255 },
});

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-cli-'));
  await put('photo.png', await encodePng(draw(3).picture));
  await put('vit/model.onnx', colourNetwork());
  await put('vit/model_quantized.onnx', colourNetwork());
  await put('vit/config.json', '{"model_type": "vit", "id2label": {"0": "red", "1": "green", "2": "blue"}}');
  await put('vit/preprocessor_config.json', processor);
  await put('evil/m.onnx', colourNetwork());
  await put('evil/classes.txt', '\u001b[31mred\n\u202egreen\nblue\u009b\n');
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('a folder as optimum writes it', () => {
  it('is explained as its files say, and the answer tells of each part who said it', async () => {
    const command = ['explain', 'photo.png', '--model', 'vit', '--mean', '0', '-o', 'out', '--json'];
    const { code, stdout, stderr } = await whylight(home, ...command);
    expect([code, stderr]).toEqual([
      ...[
        0,
        'vit holds model.onnx, model_quantized.onnx: Whylight takes model.onnx; to take another, give its path\n',
      ],
    ]);
    const [{ preprocessing, target, warnings }] = JSON.parse(stdout);
    expect(preprocessing).toMatchObject({
      size: { value: [16, 16], from: 'preprocessor_config.json' },
      mean: { value: [0], from: 'option' },
      std: { value: [0.5, 0.5, 0.5], from: 'preprocessor_config.json' },
      layout: { value: 'NCHW', from: 'file' },
      labels: { value: 3, from: 'config.json' },
    });
    expect(['red', 'green', 'blue']).toContain(target.label);
    expect(warnings.filter(({ code }: { code: string }) => code.startsWith('preprocessing'))).toEqual([]);
    expect(JSON.parse(await readFile(join(home, 'out/result.json'), 'utf8')).preprocessing).toEqual(
      preprocessing,
    );
  });

  it('is checked so too, in words and as JSON', async () => {
    const told = await whylight(home, 'check', 'vit');
    expect(told.stdout).toMatch(
      /^preprocessing +channels rgb, size 16x16, .*: from preprocessor_config.json$/m,
    );
    expect(told.stdout).toMatch(/^preprocessing +3 labels: from config.json$/m);
    const { stdout } = await whylight(home, 'check', 'vit', '--crop', 'none', '--json');
    expect(JSON.parse(stdout).preprocessing.crop).toEqual({ value: 'none', from: 'option' });
  });
});

it('M3: what a file beside the model says wrongly ends with 2 and one sentence', async () => {
  await put('wrong/m.onnx', colourNetwork());
  await put('wrong/preprocessor_config.json', '{"image_mean": "grey"}');
  expect(await whylight(home, 'check', 'wrong/m.onnx')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'whylight: file "preprocessor_config.json": image_mean: expected a number, or a list of numbers; got "grey"\n',
  });
});

it('M8: names that would act on the terminal are spelled out', async () => {
  const { code, stdout } = await whylight(
    home,
    'explain',
    'photo.png',
    '--model',
    'evil/m.onnx',
    '-o',
    'evil-out',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/\\u001b\[31mred|\\u202egreen|blue\\u009b/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that must not be there
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

it('a fixed input is registered with its shape', async () => {
  const gated = networkOf([3, 16, 16], (layer, image, g) =>
    layer('scores', 'Mul', [
      layer('flat', 'Flatten', [layer('pooled', 'GlobalAveragePool', [image])]),
      g.input('gate', 'float32', [1, 3]),
    ]),
  );
  await put('gated.onnx', gated);
  await put('gate.npy', writeNpy(float32([1, 3], [1, 2, 3])));
  const added = await whylight(
    home,
    'models',
    'add',
    'gated.onnx',
    '--input',
    'gate=gate.npy',
    '--mean',
    '0',
  );
  expect(added).toMatchObject({ code: 0 });
  const { stdout } = await whylight(home, 'check', 'gated', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ classes: 3, preprocessing: { mean: { value: [0], from: 'manifest' }, size: { from: 'file' } } },
  });
});
