import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explanationResultSchema } from '@whylight/contract';
import { float32, readNpy, writeNpy } from '@whylight/core';
import { networkOf } from '@whylight/core/testing';
import { encodePng } from '@whylight/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draw, kinds } from '../../../models/shapes/draw.ts';
import { bin, runWith, whylight } from './run.ts';

const shapes = fileURLToPath(new URL('../../../models/shapes/shapes.onnx', import.meta.url));
const ofShapes = ['--model', 'shapes'];
const photo = fileURLToPath(new URL('../photos/coffee.jpg', import.meta.url));
const seed = 10;

let home: string;
const inHome = (name: string) => join(home, name);
const floats = async (name: string) =>
  readNpy(new Uint8Array(await readFile(inHome(name)))) as ReturnType<typeof float32>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-cli-'));
  const pixels = draw(seed).picture;
  await writeFile(inHome('photo.png'), await encodePng(pixels));
  // Two rows: the drawing as the network takes it, and its mirror image.
  const input = new Float32Array(2 * 3 * 128 * 128);
  for (let at = 0; at < 3 * 128 * 128; at++) {
    const [c, y, x] = [Math.floor(at / 16_384), Math.floor(at / 128) % 128, at % 128];
    const value = (pixels.data[(y * 128 + x) * 3 + c]! / 255 - 0.5) / 0.25;
    input[at] = value;
    input[3 * 16_384 + c * 16_384 + y * 128 + (127 - x)] = value;
  }
  await writeFile(inHome('in.npy'), writeNpy(float32([2, 3, 128, 128], input)));
  await writeFile(inHome('flat.npy'), writeNpy(float32([3, 4], new Float32Array(12))));
  await mkdir(inHome('two-photos'));
  for (const name of ['a', 'b']) await copyFile(inHome('photo.png'), inHome(`two-photos/${name}.png`));
  await mkdir(inHome('broken-photos'));
  await writeFile(inHome('broken-photos/a.png'), 'no picture');
  await writeFile(inHome('empty.onnx'), '');
  for (const path of ['saved/saved_model.pb', 'hub/config.json', 'hub/model.safetensors']) {
    await mkdir(join(inHome(path), '..'), { recursive: true });
    await writeFile(inHome(path), '{}');
  }
  await mkdir(inHome('two'));
  for (const name of ['a', 'b']) await copyFile(shapes, inHome(`two/${name}.onnx`));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('explain', () => {
  it('writes four files for one photo and one method, and tells the class as JSON', async () => {
    const { code, stdout } = await whylight(home, 'explain', 'photo.png', ...ofShapes, '-o', 'one', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { target: { label: kinds[draw(seed).label]!.en }, out: 'one' },
    ]);
    expect((await readdir(inHome('one'))).sort()).toEqual([
      'attribution.npy',
      'heatmap.png',
      'overlay.png',
      'result.json',
    ]);
  });

  it('writes a result.json that is a result of the contract, with no other member', async () => {
    const { code } = await whylight(home, 'explain', 'photo.png', ...ofShapes, '-o', 'result');
    expect(code).toBe(0);
    const written = JSON.parse(await readFile(inHome('result/result.json'), 'utf8'));
    // The schema drops members that it does not have.
    expect(explanationResultSchema.parse(written)).toEqual(written);
  });

  it('renders the pictures with the colours and the weight that are asked for', async () => {
    const overlayBy = async (directory: string, ...args: string[]) => {
      await whylight(home, 'explain', 'photo.png', ...ofShapes, ...args, '-o', directory);
      return readFile(inHome(`${directory}/overlay.png`), 'base64');
    };
    const overlays = [
      await overlayBy('plain'),
      await overlayBy('gray', '--colormap', 'gray'),
      await overlayBy('table', '--colormap', '0:#ffffff,1:#000000'),
      await overlayBy('faint', '--alpha', '0.9'),
    ];
    expect(new Set(overlays).size).toBe(4);
  });

  it('explains a photo by the network for photos, with nothing else said, and says where that is unsure', async () => {
    // A star among fragments, of which that network knows nothing.
    const { code, stdout } = await whylight(home, 'explain', photo, 'photo.png', '-o', 'seen', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        model: 'efficientnet-lite0',
        target: { class_index: 967, label: 'espresso', label_zh: '浓缩咖啡' },
        warnings: [],
      },
      {
        warnings: [
          {
            code: 'unsure',
            message: expect.stringMatching(/^the likeliest class, ".*", has a probability of only 0\.[012]/),
          },
        ],
      },
    ]);
  });

  it('gives each method a directory, and each the parameters that it has', async () => {
    const args = [
      '--method',
      'grad-cam,integrated-gradients',
      '--param',
      'n_steps=4',
      '--layer',
      '-1',
      '-o',
      'two',
    ];
    const { code, stdout } = await whylight(home, 'explain', 'photo.png', ...ofShapes, ...args, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { method: 'grad-cam', out: 'two/photo/grad-cam' },
      { method: 'integrated-gradients', out: 'two/photo/integrated-gradients', parameters: { n_steps: 4 } },
    ]);
  });

  it('draws in colours of your own, pytorch-grad-cam’s panels, and the likeliest classes', async () => {
    const args = [
      ...['--method', 'guided-backprop', '--convention', 'pytorch-grad-cam', '--probabilities'],
      ...['--panels', 'original_image,deprocess_image', '--colormap', '0:#ffffff,0.25:#000000,1:#000000'],
    ];
    const { code, stderr } = await whylight(
      home,
      'explain',
      'photo.png',
      ...ofShapes,
      ...args,
      '-o',
      'drawn',
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(readdirSync(inHome('drawn')).sort()).toEqual([
      'attribution.npy',
      'heatmap.png',
      'overlay.png',
      'panels.png',
      'probabilities.png',
      'result.json',
    ]);
    const wrong = await whylight(
      home,
      'explain',
      'photo.png',
      ...ofShapes,
      '--colormap',
      'rainbow',
      '-o',
      'x',
    );
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('colour map: expected jet')]);
  });

  it('writes all files, also when nobody reads to the end', async () => {
    const command = `'${process.execPath}' '${bin}' explain photo.png photo.png photo.png --model shapes -o piped | head -1`;
    execFileSync('sh', ['-c', command], { cwd: home, env: { ...process.env, WHYLIGHT_HOME: home } });
    expect((await readdir(inHome('piped'))).sort()).toEqual(['photo', 'photo-2', 'photo-3']);
  });

  it('takes a class by its Chinese name', async () => {
    const { code, stdout } = await whylight(
      home,
      'explain',
      'photo.png',
      ...ofShapes,
      '--target',
      kinds[0]!.zh,
      '-o',
      'zh',
      '--json',
    );
    expect([code, JSON.parse(stdout)[0].target.class_index]).toEqual([0, 0]);
  });
});

describe('attribute', () => {
  const common = ['--model', shapes, '--tensor', 'in.npy', '--method', 'grad-cam'];

  it('explains a class per row of a batch, index 0 too, as one row at a time would', async () => {
    expect((await whylight(home, 'attribute', ...common, '--target', '0,3', '-o', 'both.npy')).code).toBe(0);
    expect((await whylight(home, 'attribute', ...common, '--target', '3', '-o', 'threes.npy')).code).toBe(0);
    const [both, threes] = [await floats('both.npy'), await floats('threes.npy')];
    expect(both.shape).toEqual([2, 128, 128]);
    const half = both.data.length / 2;
    expect(both.data.subarray(half)).toEqual(threes.data.subarray(half));
    expect(both.data.subarray(0, half)).not.toEqual(threes.data.subarray(0, half));
  });

  it('runs jobs from a file, and tells which failed without giving up the others', async () => {
    const job = { model: shapes, tensor: 'in.npy', method: 'grad-cam', target: [0, 3] };
    const jobs = [
      { ...job, target: 10, out: 'fails.npy' },
      { ...job, out: 'job.npy', params: { normalized: true }, layers: [], aux: {} },
    ];
    await writeFile(inHome('jobs.json'), JSON.stringify(jobs));
    const { code, stdout, stderr } = await whylight(home, 'attribute', '--jobs', 'jobs.json', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject([
      { out: 'fails.npy', error: { code: 'target_out_of_range' } },
      { out: 'job.npy', targets: [0, 3], shape: [2, 128, 128] },
    ]);
    expect(stderr).toContain('job 0 (fails.npy): ');
    expect((await floats('job.npy')).data).toEqual((await floats('both.npy')).data);
  });

  it('explains differences of classes, of probabilities too', async () => {
    const asked = [...common.slice(0, 4), '--method', 'saliency'];
    const of = async (target: string, ...more: string[]) => {
      const arguments_ = [...asked, '--param', 'abs=false', '--target', target, '-o', 'sum.npy', ...more];
      expect((await whylight(home, 'attribute', ...arguments_)).code).toBe(0);
      return (await floats('sum.npy')).data;
    };
    const [zero, three, difference] = [await of('0'), await of('3'), await of('3-0')];
    const largest = Math.max(...three.map(Math.abs));
    difference.forEach((v, i) => {
      expect(Math.abs(v - (three[i]! - zero[i]!)) / largest).toBeLessThan(1e-5);
    });
    expect(await of('0', '--score', 'softmax')).not.toEqual(zero);
  });
});

describe('models', () => {
  it('are registered under a name, which every command takes', async () => {
    const added = await whylight(
      home,
      'models',
      'add',
      shapes,
      '--name',
      'mine',
      '--mean',
      '0.5',
      '--std',
      '0.25',
      '--size',
      '128',
    );
    expect(added.code).toBe(0);
    const { stdout } = await whylight(home, 'models', 'list', '--json');
    expect(JSON.parse(stdout).models.map(({ name }: { name: string }) => name)).toEqual([
      'efficientnet-lite0',
      'shapes',
      'mine',
    ]);
    const checked = await whylight(home, 'check', 'mine', '--json');
    expect(JSON.parse(checked.stdout)).toMatchObject({
      name: 'mine',
      classes: 10,
      input_shape: [3, 128, 128],
    });
    const removed = await whylight(home, 'models', 'remove', 'mine', '--json');
    expect(JSON.parse(removed.stdout)).toEqual({ name: 'mine', removed: true });
  });

  it('take the size of their network where nothing is said of their input', async () => {
    const added = await whylight(home, 'models', 'add', 'two/a.onnx', '--name', 'unsaid');
    expect([added.code, added.stderr]).toEqual([0, expect.stringMatching(/^Nothing says .* assumed/)]);
    for (const command of [
      ['check', 'unsaid'],
      ['explain', 'photo.png', '--model', 'unsaid', '-o', 'unsaid'],
      ['evaluate', 'two-photos', '--model', 'unsaid', '--metric', 'deletion', '-o', 'unsaid-table'],
    ])
      expect(await whylight(home, ...command)).toMatchObject({ code: 0 });
    await whylight(home, 'models', 'remove', 'unsaid');
  });
});

describe('a model with an input beside the image', () => {
  const gated = networkOf([3, 128, 128], (layer, image, g) =>
    layer('scores', 'Mul', [
      layer('flat', 'Flatten', [layer('pooled', 'GlobalAveragePool', [image])]),
      g.input('scale', 'float32', []),
    ]),
  );
  const saliency = (scale: string, out: string) =>
    whylight(
      home,
      ...['attribute', '--model', 'gated.onnx', '--input', `scale=${scale}`, '--tensor', 'in.npy'],
      ...['--method', 'saliency', '--param', 'abs=false', '--target', '1', '-o', out],
    );

  it('is explained once that input is fixed, to a number or a file', async () => {
    await writeFile(inHome('gated.onnx'), gated);
    await writeFile(inHome('minus.npy'), writeNpy(float32([], [-2])));
    const open = await whylight(home, 'check', 'gated.onnx');
    expect([open.code, open.stderr]).toEqual([
      2,
      expect.stringContaining('fix each of them but the image to a value (--input NAME=VALUE'),
    ]);
    expect((await saliency('2', 'plus.npy')).code).toBe(0);
    expect((await saliency('minus.npy', 'minus-2.npy')).code).toBe(0);
    const [plus, minus] = [await floats('plus.npy'), await floats('minus-2.npy')];
    expect(plus.data[128 * 128]).toBeCloseTo(2 / 128 ** 2, 9);
    expect(minus.data).toEqual(plus.data.map((v) => -v));
  });

  it('is registered with the value, which every command then takes', async () => {
    const fixed = ['--input', 'scale=2', '--scores', 'scores', '--size', '128'];
    const added = await whylight(home, 'models', 'add', 'gated.onnx', ...fixed);
    expect(added.code).toBe(0);
    const { stdout } = await whylight(home, 'check', 'gated', '--json');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ classes: 3, notes: ['"scale" is fixed to the values given'] });
    expect(report.methods).toContainEqual({
      ...{ id: 'deep-lift', works: true, reason: null },
      axioms: ['completeness', 'dummy', 'linearity'],
    });
    const told = await whylight(home, 'check', 'gated');
    expect(told.stdout).toMatch(
      /works +guided-backprop +equals_gradient: no ReLU lies between image and scores/,
    );
    const explained = await whylight(
      home,
      ...['explain', 'photo.png', '--model', 'gated', '--method', 'saliency', '-o', 'gated'],
    );
    expect(explained.code).toBe(0);
  });
});

it('methods ID says under which condition an axiom holds', async () => {
  const { stdout } = await whylight(home, 'methods', 'integrated-gradients');
  expect(stdout).toMatch(
    /axioms +completeness, dummy.*\n +completeness: in the limit of many steps, and with multiply/,
  );
});

describe('bad usage ends with 2 and one sentence', () => {
  it.each([
    [['explain', 'nothing.png', '-o', 'x'], 'nothing.png cannot be read: there is no such file'],
    [['explain', 'photo.png', '-o', 'x', '--method', 'gradcam'], 'did you mean "grad-cam"?'],
    [
      ['explain', 'photo.png', '-o', 'x', '--method', 'seance'],
      'there is no method "seance"; the command "whylight methods"',
    ],
    [['explain', 'photo.png', '-o', 'x', '--method', 'grad-cam,seance'], 'there is no method "seance"; '],
    [
      ['explain', 'in.npy', '-o', 'x'],
      'in.npy: the network takes 3 bands: expected an array [3, height, width]',
    ],
    [['explain', 'photo.png', '-o', 'x', '--model', 'photo.png'], 'not an ONNX model'],
    [
      ['explain', 'photo.png', '-o', 'x', '--model', 'two'],
      'more than one model (a.onnx, b.onnx): give the path of one of them',
    ],
    [
      ['explain', 'photo.png', '-o', 'x', '--method', 'smooth-grad', '--param', 'nt_samples=0'],
      'parameter "nt_samples" of smooth-grad: Too small: expected number to be >=1, got 0',
    ],
    [
      [
        'attribute',
        '--model',
        'shapes',
        '--tensor',
        'flat.npy',
        '--method',
        'cam',
        '--target',
        '0',
        '-o',
        'x',
      ],
      'flat.npy: expected a batch of rank 4, [N, C, H, W]; got [3, 4]',
    ],
    [['explain', 'photo.png', '-o', 'x', '--model', 'nobody'], 'model nobody: not found'],
    [['explain', 'photo.png', '-o', 'x', '--target', '-1'], 'expected a class index from 0 to 999, got -1'],
    [['explain', 'photo.png', '-o', 'x', '--param', 'n=1'], 'grad-cam has no parameter "n"'],
    [['attribute', '--model', 'shapes'], '--tensor is missing'],
    [['check', 'photo.png'], 'not an ONNX model'],
    [['check', '/dev/null'], 'model null: the file is not an ONNX model'],
    [['bench', '--model', '/dev/null'], 'model null: the file is not an ONNX model'],
    [
      ['compile', '/dev/null', '--method', 'saliency', '-o', 'x.onnx'],
      'model null: the file is not an ONNX model',
    ],
    [['explain', 'photo.png', 'nothing.png', '-o', 'x'], 'nothing.png cannot be read: there is no such file'],
    [['explain', 'photo.png', '-o', 'x', '--method', 'grad-cam,'], 'Expected method ids separated by commas'],
    [['bench', '--method', 'grad-cam,seance'], 'there is no method "seance"; '],
    [['bench', '--method', 'cam', '--model', 'nobody'], 'model nobody: not found'],
    [
      ['attribute', '--jobs', 'jobs.json', '--model', 'shapes'],
      '--model: not allowed with --jobs, where each job states its own model',
    ],
    [
      ['evaluate', '--drawings', '2', '--masks', 'two', '-o', 'x'],
      '--drawings and --masks: each states where the objects are; give only one of them',
    ],
    [['evaluate', '--drawings', '2', '--mosaics', '2', '-o', 'x'], '--drawings and --mosaics: each'],
    [
      ['evaluate', '--drawings', '2', '--target', '1', '-o', 'x'],
      '--target: not allowed with --drawings, which states the classes',
    ],
    [
      ['evaluate', 'broken-photos', '-o', 'x'],
      'broken-photos/a.png: The file is no image that Whylight can read',
    ],
    // M2
    [
      ['models', 'add', 'in.npy'],
      'the file is not an ONNX model: it is a NumPy array (.npy); give the .onnx file',
    ],
    [
      ['check', 'photo.png'],
      'the file is not an ONNX model: it is a picture; give the .onnx file as the model',
    ],
    [['check', 'empty.onnx'], 'the file is not an ONNX model: it is empty; download or export it again'],
    [['check', 'two-photos'], 'there is no .onnx file in two-photos: export the network as ONNX'],
    [
      ['check', 'saved'],
      'there is no .onnx file in saved: it is a SavedModel of TensorFlow: convert it with',
    ],
    [
      ['models', 'add', 'hub'],
      'hub cannot be read: it is a directory; it is a model of Hugging Face: export it with',
    ],
    [['models', 'add', 'two'], 'two cannot be read: it is a directory; name the .onnx file in it'],
    [['models', 'add', shapes], 'shapes is a network that comes with Whylight'],
    [['models', 'remove', 'nobody'], 'model nobody: not registered; registered models: '],
    [
      [
        ...['attribute', '--model', 'shapes', '--tensor', 'in.npy', '--method', 'grad-cam', '--target', '0'],
        ...['--aux', 'nois=in.npy', '-o', 'x'],
      ],
      'aux "nois": grad-cam has none',
    ],
    [['serve', '--model', 'a=photo.png', '--data', 'x'], 'model photo.png: the file is not an ONNX model'],
    [['compile', 'shapes', '--method', 'grad-cam'], "required option '-o, --output <file>'"],
    [['dance'], "unknown command 'dance'"],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await whylight(home, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^whylight: /);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(inHome('x'))).toBe(false);
  });

  it.each([['explain', '--lang', 'fr'], ['dance'], ['explain', 'nothing.png', '-o', 'x']])(
    '%s %s says it as one JSON document too',
    async (...args) => {
      const { code, stdout } = await whylight(home, ...args, '--json');
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toEqual({ error: { code: 'bad_usage', message: expect.any(String) } });
    },
  );
});

describe('doctor', () => {
  it('of a service that is not there gives one JSON document, and ends with 1', async () => {
    const service = { WHYLIGHT_URL: 'http://127.0.0.1:9', WHYLIGHT_API_KEY: 'a-key' };
    const { code, stdout, stderr } = await runWith(service, home, 'doctor', '--json');
    expect([code, stderr]).toEqual([1, 'whylight: failed checks: service\n']);
    expect(JSON.parse(stdout)).toEqual([{ check: 'service', ok: false, detail: 'it cannot be reached' }]);
  });
});
