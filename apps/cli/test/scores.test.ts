import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explanationResultSchema } from '@whylight/contract';
import { float32, int64, readNpy, sizeOf, type Tensor, writeNpy } from '@whylight/core';
import { networkOf } from '@whylight/core/testing';
import { createRuntime, encodePng } from '@whylight/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whylight } from './run.ts';

const side = 16;

const waves = (shape: readonly number[]): Tensor<'float32'> =>
  float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => 0.6 * Math.sin(1.3 * i + 0.5)),
  );

/** Half the size at `bottleneck`, and `masks` [N, 4, 16, 16] by a transposed convolution. */
const segmenter = networkOf([3, side, side], (layer, image, g) => {
  const weights = g.constant(waves([5, 3, 3, 3]), 'w');
  const down = layer('down', 'Conv', [image, weights], { pads: [1, 1, 1, 1], strides: [2, 2] });
  const bottleneck = layer('bottleneck', 'Relu', [down]);
  return layer('masks', 'ConvTranspose', [bottleneck, g.constant(waves([5, 4, 2, 2]), 'up')], {
    strides: [2, 2],
  });
});

/** One number, such as an age. */
const regressor = networkOf([3, side, side], (layer, image, g) => {
  const map = layer('map', 'Tanh', [image]);
  const flat = layer('flat', 'Flatten', [layer('pooled', 'GlobalAveragePool', [map])]);
  return layer('logit', 'MatMul', [flat, g.constant(float32([3, 1], [20, 30, 40]), 'w')]);
});

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-scores-'));
  await writeFile(join(home, 'seg.onnx'), segmenter);
  await writeFile(join(home, 'age.onnx'), regressor);
  await writeFile(join(home, 'in.npy'), writeNpy(waves([1, 3, side, side])));
  const data = Uint8Array.from({ length: 20 * 16 * 3 }, (_, i) => 127 + 120 * Math.sin(i / 7));
  await writeFile(join(home, 'photo.png'), await encodePng({ width: 20, height: 16, channels: 3, data }));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const said = async (...args: string[]) => {
  const ended = await whylight(home, ...args);
  expect([ended.stderr, ended.code]).toEqual([ended.stderr, 0]);
  return ended;
};

/** A result.json, which is a result of the contract with no other member: the schema drops members that it does not have. */
async function resultOf(folder: string) {
  const written = JSON.parse(await readFile(join(home, folder, 'result.json'), 'utf8'));
  expect(explanationResultSchema.parse(written)).toEqual(written);
  return written;
}

describe('a number that is no class score', () => {
  const score = 'output:masks[2,3:9].mean';

  it('is explained from a photo, and result.json says what was explained', async () => {
    await said('explain', 'photo.png', '--model', 'seg.onnx', '--score', score, '-o', 'out');
    const result = await resultOf('out');
    expect(result.target).toMatchObject({
      ...{ type: 'output', name: 'masks', index: '2,3:9', reduce: 'mean' },
      ...{ class_index: 0, label: 'output:masks[2,3:9].mean' },
    });
    expect(result.target.score).not.toBe(0);
    expect(result.target.probability).toBeUndefined();
    expect([result.task, result.method, result.layers]).toEqual(['regression', 'grad-cam', ['bottleneck']]);
  });

  it('is explained from a tensor, and compiled into one file that gives the same', async () => {
    const asked = ['--method', 'saliency', '--score', score];
    const given = ['--model', 'seg.onnx', '--tensor', 'in.npy', '--target', '0', '-o', 'out.npy'];
    const { stdout } = await said('attribute', ...asked, ...given, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ targets: [0], probabilities: null });
    const expected = readNpy(new Uint8Array(await readFile(join(home, 'out.npy'))));
    await said('compile', 'seg.onnx', ...asked, '-o', 'explainer.onnx');
    const runtime = await createRuntime({ ep: 'cpu' });
    const session = await runtime.load(new Uint8Array(await readFile(join(home, 'explainer.onnx'))));
    const made = await session.run({ image: waves([1, 3, side, side]), class_index: int64([1], [-1]) });
    await session.close();
    expect(made.attribution!.data).toEqual(expected.data);
    const jobs = [
      { model: 'seg.onnx', tensor: 'in.npy', method: 'saliency', target: 0, score, out: 'job.npy' },
    ];
    await writeFile(join(home, 'jobs.json'), JSON.stringify(jobs));
    await said('attribute', '--jobs', 'jobs.json');
    expect(readNpy(new Uint8Array(await readFile(join(home, 'job.npy')))).data).toEqual(expected.data);
  });

  it('is offered by check, which says what task it sees and why', async () => {
    const { stdout } = await said('check', 'seg.onnx', '--budget', '0');
    expect(stdout).toContain(
      `output         masks float32 [batch, 4, 16, 16]: a map of 16x16 for each of 4 classes (--region predicted --target CLASS, or --score 'output:masks[0].sum')`,
    );
    expect(stdout).toMatch(/task +segmentation: output "masks" \[batch, 4, 16, 16\] gives/);
    const report = JSON.parse(
      (await said('check', 'seg.onnx', '--score', score, '--json', '--budget', '20')).stdout,
    );
    expect(report.task).toBe('segmentation');
    const works = (id: string) => report.methods.find((method: { id: string }) => method.id === id).works;
    expect([works('grad-cam'), works('cam'), works('finer-cam')]).toEqual([true, false, false]);
  });

  it.each([
    [
      ['explain', 'photo.png', '--model', 'seg.onnx', '-o', 'x'],
      'to explain a number of it, ask for one (on the command line: --score output:masks.sum, or of a segmenter --region predicted --target CLASS)',
    ],
    [
      ['explain', 'photo.png', '--model', 'seg.onnx', '--score', 'output:mask', '-o', 'x'],
      'did you mean "masks"?',
    ],
    [
      ['explain', 'photo.png', '--model', 'seg.onnx', '--score', 'output:masks[7]', '-o', 'x'],
      'index 7 is out of range: expected -4 to 3',
    ],
    [
      ['explain', 'photo.png', '--model', 'seg.onnx', '--score', 'log', '-o', 'x'],
      'expected one of logit, probability',
    ],
    [['check', 'seg.onnx', '--score', 'output:masks[0:0]'], '"0:0" takes nothing of 4 elements'],
    [
      ['evaluate', '.', '--model', 'seg.onnx', '--score', score, '-o', 'x'],
      'evaluate takes scores of classes only',
    ],
    [
      [
        'attribute',
        '--model',
        'seg.onnx',
        '--tensor',
        'in.npy',
        '--method',
        'finer-cam',
        '--target',
        '0',
        '--score',
        score,
        '-o',
        'x',
      ],
      'is one number: use grad-cam',
    ],
  ])('%j is refused with a sentence', async (args, message) => {
    const { code, stderr } = await whylight(home, ...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe('regression', () => {
  it('is a task by --task: the prediction is a value and no probability', async () => {
    const explain = ['explain', 'photo.png', '--model', 'age.onnx', '--method', 'saliency', '-o', 'age'];
    await said(...explain);
    const guessed = await resultOf('age');
    expect([guessed.task, typeof guessed.target.probability]).toEqual(['binary', 'number']);
    const { stdout } = await said(...explain, '--task', 'regression');
    const result = await resultOf('age');
    expect([result.task, result.target.probability]).toEqual(['regression', undefined]);
    expect(stdout).toContain(`score ${result.target.score.toFixed(3)}`);
    const report = JSON.parse(
      (await said('check', 'age.onnx', '--task', 'regression', '--json', '--budget', '0')).stdout,
    );
    expect(report.task).toBe('regression');
  });

  it('is a task where a number is asked for by its output', async () => {
    const asked = ['--score', 'output:logit', '--method', 'saliency'];
    const { stdout } = await said('explain', 'photo.png', '--model', 'age.onnx', ...asked, '-o', 'age');
    const result = await resultOf('age');
    expect(result.task).toBe('regression');
    expect(stdout).toContain(`output:logit.sum, score ${result.target.score.toFixed(3)}`);
  });
});

describe('a region of a segmenter', () => {
  const segment = ['--model', 'seg.onnx', '--layout', 'NCHW', '--fit', 'stretch', '--size', '16'];

  it('is explained in the photo’s pixels, and result.json says which one', async () => {
    // The photo is 20 x 16, the maps 16 x 16: a box of the photo's left half is the maps' left half.
    const asked = ['--target', '1', '--method', 'saliency', '--param', 'abs=false'];
    await said('explain', 'photo.png', ...segment, ...asked, '--region', '0,0,10,16', '-o', 'region');
    const result = await resultOf('region');
    expect(result.task).toBe('segmentation');
    expect(result.target).toMatchObject({
      ...{ type: 'region', class: 1, region: { box: [0, 0, 10, 16] }, over: 'sum' },
      ...{ class_index: 1, label: 'class 1' },
    });
    const value = ['--score', 'output:masks[1,:,0:8]', '--method', 'saliency', '--param', 'abs=false'];
    await said('explain', 'photo.png', ...segment, ...value, '-o', 'value');
    expect(result.target.score).toBeCloseTo((await resultOf('value')).target.score, 4);
    const [region, sliced] = await Promise.all(
      ['region', 'value'].map(async (folder) =>
        readNpy(new Uint8Array(await readFile(join(home, folder, 'attribution.npy')))),
      ),
    );
    (region!.data as Float32Array).forEach((v, i) => {
      expect(v).toBeCloseTo((sliced!.data as Float32Array)[i]!, 4);
    });
  });

  it('is a mask, a point, or what the model predicts', async () => {
    const asked = ['--target', '1', '--method', 'saliency', '--over', 'mean'];
    const left = float32(
      [16, 20],
      Array.from({ length: 320 }, (_, i) => Number(i % 20 < 10)),
    );
    await writeFile(join(home, 'mask.npy'), writeNpy(left));
    const white = Uint8Array.from({ length: 320 * 3 }, (_, i) => (Math.trunc(i / 3) % 20 < 10 ? 255 : 0));
    await writeFile(
      join(home, 'mask.png'),
      await encodePng({ width: 20, height: 16, channels: 3, data: white }),
    );
    const scores: number[] = [];
    for (const region of ['0,0,10,16', 'mask.npy', 'mask.png']) {
      await said('explain', 'photo.png', ...segment, ...asked, '--region', region, '-o', 'region');
      const { target } = await resultOf('region');
      expect(target.region).toEqual(region.includes('mask') ? { mask: region } : { box: [0, 0, 10, 16] });
      scores.push(target.score);
    }
    expect(scores.map((score) => score.toFixed(4))).toEqual(Array(3).fill(scores[0]!.toFixed(4)));
    await said('explain', 'photo.png', ...segment, ...asked, '--region', '5,5,2', '-o', 'region');
    expect((await resultOf('region')).target.region).toEqual({ point: [5, 5], radius: 2 });
    const predicted = ['--method', 'grad-cam', '--region', 'predicted'];
    await said('explain', 'photo.png', ...segment, ...predicted, '-o', 'region');
    const { target, predictions, layers } = await resultOf('region');
    expect([target.region, layers]).toEqual(['predicted', ['bottleneck']]);
    expect(predictions).toHaveLength(4);
  });

  it('of a tensor, in jobs too; a compiled explainer takes it as an input', async () => {
    const asked = ['--method', 'saliency', '--region', '2,3,5,6'];
    const given = ['--model', 'seg.onnx', '--tensor', 'in.npy', '--target', '2', '-o', 'out.npy'];
    const { stdout } = await said('attribute', ...asked, ...given, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ task: 'segmentation', targets: [2] });
    const expected = readNpy(new Uint8Array(await readFile(join(home, 'out.npy'))));
    const job = { model: 'seg.onnx', tensor: 'in.npy', method: 'saliency', target: 2, out: 'job.npy' };
    await writeFile(join(home, 'jobs.json'), JSON.stringify([{ ...job, region: '2,3,5,6' }]));
    await said('attribute', '--jobs', 'jobs.json');
    expect(readNpy(new Uint8Array(await readFile(join(home, 'job.npy')))).data).toEqual(expected.data);
    const compiled = ['--method', 'saliency', '--region', 'predicted', '-o', 'explainer.onnx'];
    expect((await said('compile', 'seg.onnx', ...compiled)).stdout).toContain(
      'inputs image, class_index and region',
    );
    const runtime = await createRuntime({ ep: 'cpu' });
    const session = await runtime.load(new Uint8Array(await readFile(join(home, 'explainer.onnx'))));
    const box = Array.from({ length: 256 }, (_, i) => {
      const [x, y] = [i % 16, Math.trunc(i / 16)];
      return Number(x >= 2 && x < 7 && y >= 3 && y < 9);
    });
    const region = float32([1, 16, 16], box);
    const made = await session.run({
      image: waves([1, 3, side, side]),
      class_index: int64([1], [2]),
      region,
    });
    await session.close();
    expect(made.attribution!.data).toEqual(expected.data);
  });

  it('is checked: every method that works on a class works on it', async () => {
    const report = JSON.parse((await said('check', 'seg.onnx', '--region', 'predicted', '--json')).stdout);
    expect(report.task).toBe('segmentation');
    const works = (id: string) => report.methods.find((method: { id: string }) => method.id === id).works;
    expect(['grad-cam', 'finer-cam', 'occlusion', 'rise', 'cam'].map(works)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it.each([
    [
      ['--region', '30,30,5,5'],
      'box 30,30,5,5 lies outside of what the network sees of the photo, x 0 to 20 and y 0 to 16',
    ],
    [['--region', '1,2,3,4,5'], 'Expected x,y,width,height, or x,y or x,y,radius'],
    [['--region', '1,2,0,4'], 'Expected a box with a width and a height above 0'],
    [['--region', 'in.npy'], 'expected a mask'],
    [
      ['--region', 'small.npy'],
      "small.npy: expected a mask of the photo's size, 20x16, or of the maps', 16x16; got 3x2",
    ],
    [['--region', 'absent.png'], 'absent.png cannot be read: there is no such file'],
    [['--region', 'predicted', '--score', 'output:masks'], '--region is a part of the score of a class'],
    [
      ['--region', 'predicted', '--score', 'probability', '--method', 'saliency'],
      'a region has no probability; use score logit',
    ],
    [['--over', 'mean'], '--over needs --region'],
    [['--region', 'predicted', '--target', '7'], 'expected a class index from 0 to 3, got 7'],
  ])('%j is refused with a sentence', async (args, message) => {
    await writeFile(join(home, 'small.npy'), writeNpy(float32([2, 3], [1, 1, 1, 1, 1, 1])));
    const { code, stderr } = await whylight(home, 'explain', 'photo.png', ...segment, ...args, '-o', 'x');
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('that a classifier has not', async () => {
    const ended = await whylight(home, 'explain', 'photo.png', '--region', 'predicted', '-o', 'x');
    expect(ended.stderr).toContain('a region needs an output [batch, classes, height, width]');
    expect(ended.code).toBe(2);
  });
});
