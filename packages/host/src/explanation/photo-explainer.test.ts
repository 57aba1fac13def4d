import { readFile } from 'node:fs/promises';
import { explanationResultSchema, ownStyle } from '@whylight/contract';
import { type Runtime, readNpy } from '@whylight/core';
import { picture } from '@whylight/core/image';
import { resolveQuestion } from '@whylight/core/methods';
import { sharedFile } from '@whylight/core/testing';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PhotoClassifier } from '../classification/photo-classifier.ts';
import { decodeImage } from '../codec/decode.ts';
import { encodePng } from '../codec/encode.ts';
import { ModelNotFoundError, ModelRegistry } from '../models/registry.ts';
import { type Change, ColourModels, jetStyle, plain, redSquare } from '../testing/colour-models.ts';
import { PhotoExplainer } from './photo-explainer.ts';

let models: ColourModels;
beforeAll(async () => {
  models = await ColourModels.open();
});
afterAll(() => models.close());

describe('a photo', () => {
  test('K3: is explained where the model looked, in the photo’s own pixels', async () => {
    const { result } = await models.explain();
    expect(result.target).toMatchObject({ class_index: 0, label: 'red', label_zh: '红' });
    expect(result.image).toEqual({ width: 16, height: 32 });
    expect(result.input_region).toEqual({ x: 0, y: 8, width: 16, height: 16 });
    const larger = await models.explain({ photo: await redSquare(3) });
    expect(larger.result.image).toEqual({ width: 48, height: 96 });
    expect(larger.result.input_region).toEqual({ x: 0, y: 24, width: 48, height: 48 });
    expect(result).toMatchObject({
      method: 'grad-cam',
      convention: 'paper',
      layers: ['features'],
      device: 'cpu',
    });
    expect(result.warnings).toEqual([]);
  });

  test('has its probabilities from softmax over the classes, highest first, and the logits beside them', async () => {
    const { predictions, task } = (await models.explain()).result;
    // 16 of the 256 input pixels are red: mean 1/16, times the weight 4.
    const red = Math.exp(0.25);
    expect(predictions.map(({ class_index }) => class_index)).toEqual([0, 1, 2]);
    expect(predictions[0]!.probability).toBeCloseTo(red / (red + 2), 5);
    expect(predictions[1]!.probability).toBeCloseTo(1 / (red + 2), 5);
    expect(predictions.map(({ score }) => score)).toEqual([0.25, 0, 0].map((v) => expect.closeTo(v, 5)));
    expect(task).toBe('multiclass');
  });

  test('of which the network is unsure is explained with a warning that says how unsure', async () => {
    const weights = Array.from({ length: 5 }, () => [0, 0, 0]);
    await models.add('unsure', { weights, bias: [0, 0, 0, 0, 0] }, { preprocessing: plain });
    const { result } = await models.explain({ model: 'unsure' });
    expect(result.warnings).toContainEqual({
      code: 'unsure',
      message:
        'the likeliest class, "class 0", has a probability of only 0.200; the photo may show none of the model\'s classes',
    });
    const classifier = new PhotoClassifier(models.runtime, await models.registry());
    const { warnings } = await classifier.classify(models.photo, 'unsure', 1);
    expect(warnings).toEqual([{ code: 'unsure', message: expect.stringMatching(/ 0\.200;/) }]);
    await classifier.close();
  });

  test('J13: that is an animation is explained and classified with a warning that says so', async () => {
    const { data, width, height } = await decodeImage(models.photo);
    const twice = Buffer.concat([data, new Uint8Array(data.length)]);
    const photo = await sharp(twice, { raw: { width, height: 2 * height, channels: 3, pageHeight: height } })
      .webp({ lossless: true })
      .toBuffer();
    const warning = { code: 'first_frame', message: expect.stringContaining('2 frames') };
    const { result } = await models.explain({ photo });
    expect(result.warnings).toContainEqual(warning);
    expect(result.predictions).toEqual((await models.explain()).result.predictions);
    const classifier = new PhotoClassifier(models.runtime, await models.registry());
    expect((await classifier.classify(photo, 'colours', 1)).warnings).toContainEqual(warning);
    await classifier.close();
  });

  test('gives the attribution as an array: the map of red is the red square', async () => {
    const { artifacts } = await models.explain();
    const { shape, data } = readNpy(artifacts.get('attribution.npy')!);
    expect(shape).toEqual([1, 16, 16]);
    const at = (x: number, y: number) => data[y * 16 + x];
    // The square's corner (10, 20) lies at (10, 12) on the input, which starts at y = 8.
    expect([at(10, 12), at(13, 15), at(5, 12), at(10, 5)]).toEqual(
      [1, 1, 0, 0].map((v) => expect.closeTo(v, 5)),
    );
  });

  test('gives pictures of its size, coloured inside the region only', async () => {
    const { artifacts } = await models.explain({ style: jetStyle });
    const overlay = await decodeImage(artifacts.get('overlay.png')!);
    const pixel = (x: number, y: number) => [
      ...overlay.data.subarray((y * overlay.width + x) * 3).subarray(0, 3),
    ];
    expect([pixel(5, 2), pixel(5, 30)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(pixel(2, 12)[2]).toBeGreaterThan(20);
    expect(pixel(12, 22)[0]).toBeGreaterThan(pixel(12, 22)[2]!);
    const { artifacts: again } = await models.explain({ style: jetStyle });
    for (const name of ['overlay.png', 'heatmap.png', 'attribution.npy'] as const)
      expect(again.get(name)).toEqual(artifacts.get(name));
  });

  test('keeps its own colours where the map is zero; what the network did not see is darker', async () => {
    const photo = await encodePng(picture(16, 32, new Uint8Array(16 * 32 * 3).fill(200)));
    const { artifacts } = await models.explain({ photo, target: { class_index: 0 } });
    const map = readNpy(artifacts.get('attribution.npy')!).data as Float32Array;
    expect(Math.max(...map)).toBeLessThan(1e-6);
    const overlay = await decodeImage(artifacts.get('overlay.png')!);
    const level = (x: number, y: number) => overlay.data[(y * overlay.width + x) * 3];
    expect([level(5, 12), level(5, 2), level(5, 7)]).toEqual([200, 90, 255]);
  });

  test('the same question gives the same result, but for the times', async () => {
    const parse = (bytes: Uint8Array) => ({
      ...JSON.parse(Buffer.from(bytes).toString()),
      milliseconds: null,
    });
    const [first, second] = [await models.explain(), await models.explain()];
    const bytes = first.artifacts.get('result.json')!;
    const written = JSON.parse(Buffer.from(bytes).toString());
    expect(written).toEqual(first.result);
    // The schema drops members that it does not have.
    expect(explanationResultSchema.parse(written)).toEqual(written);
    expect(parse(second.artifacts.get('result.json')!)).toEqual(parse(bytes));
  });

  test.each(['saliency', 'integrated-gradients', 'occlusion'])(
    'is explained per pixel by %s',
    async (method) => {
      const { result, artifacts } = await models.explain({ method });
      expect(result.attribution.shape).toEqual([1, 3, 16, 16]);
      expect(result.layers).toEqual([]);
      const drawn = await decodeImage(artifacts.get('heatmap.png')!);
      expect(new Set(drawn.data).size).toBeGreaterThan(2);
    },
  );

  test('what was asked is what was done: class, convention, parameters', async () => {
    const { result } = await models.explain({
      target: { class_index: 1 },
      convention: 'captum',
      method: 'integrated-gradients',
      parameters: { n_steps: '8' },
    });
    expect(result).toMatchObject({
      target: { class_index: 1 },
      convention: 'captum',
      parameters: { n_steps: 8 },
    });
  });

  test('a class is found by its name, in either language', async () => {
    expect((await models.explain({ target: { label: 'azure' } })).result.target.class_index).toBe(2);
    expect((await models.explain({ target: { label: '绿' } })).result.target.class_index).toBe(1);
  });

  test('K5: a class that the photo shows nothing of has a degenerate map, and the result says so', async () => {
    const { result } = await models.explain({ target: { class_index: 2 } });
    expect(result.warnings).toMatchObject([{ code: 'degenerate_attribution' }]);
  });

  test('a label without a Chinese name is drawn in English, and the result says so', async () => {
    const chinese = await models.explain({ style: ownStyle('zh') });
    expect(chinese.result.warnings).toEqual([]);
    expect(chinese.artifacts.get('heatmap.png')).not.toEqual(
      (await models.explain()).artifacts.get('heatmap.png'),
    );
    const { result } = await models.explain({ style: ownStyle('zh'), target: { class_index: 2 } });
    expect(result.warnings).toContainEqual(expect.objectContaining({ code: 'label_in_english' }));
  });
});

describe('a question that cannot be answered', () => {
  const wrong: [string, Change, string, RegExp][] = [
    [
      'a class out of range',
      { target: { class_index: 3 } },
      'target_out_of_range',
      /expected a class index from 0 to 2, got 3/,
    ],
    ['an unknown label', { target: { label: 'pink' } }, 'target_out_of_range', /no class is called "pink"/],
    ['an unknown method', { method: 'grad-scam' }, 'unknown_method', /grad-cam/],
    ['an unknown parameter', { parameters: { steps: 3 } }, 'invalid_parameter', /steps/],
    ['a layer that is not there', { layers: ['conv9'] }, 'invalid_parameter', /conv9/],
    ['no image', { photo: Buffer.from('hello') }, 'invalid_image', /./],
    [
      'a drawing',
      { photo: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
      'unsupported_media_type',
      /SVG/,
    ],
  ];
  test.each(wrong)('%s', async (_, change, code, message) => {
    const error = await models.failure(change);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test('a model that nobody registered', async () => {
    expect(await models.failure({ model: 'vgg' })).toBeInstanceOf(ModelNotFoundError);
  });

  test('one that is taken back', async () => {
    const explainer = new PhotoExplainer(models.runtime, await models.registry());
    const controller = new AbortController();
    const request = models.request({ method: 'occlusion', parameters: { strides: [3, 1, 1] } });
    const asked = explainer.explain(request, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('taken back')),
    });
    await expect(asked).rejects.toThrow('taken back');
    await explainer.close();
  });
});

describe('explainers are compiled once', () => {
  /** A runtime that counts what it loads and closes. */
  function counting() {
    const count = { loaded: 0, open: 0 };
    const counted: Runtime = {
      device: models.runtime.device,
      async load(model) {
        const session = await models.runtime.load(model);
        count.loaded++;
        count.open++;
        return {
          run: (feeds) => session.run(feeds),
          close: () => {
            count.open--;
            return session.close();
          },
        };
      },
    };
    return { counted, count };
  }

  test('for any number of photos and targets, and again for other parameters', async () => {
    const { counted, count } = counting();
    const explainer = new PhotoExplainer(counted, await models.registry(), { capacity: 2 });
    const ask = (change: Change) => explainer.explain(models.request(change));
    await Promise.all([ask({}), ask({ target: { class_index: 1 } }), ask({ style: ownStyle('zh') })]);
    expect(count).toEqual({ loaded: 1, open: 1 });
    await ask({ method: 'saliency' });
    await ask({ method: 'saliency', parameters: { abs: true } });
    expect(count).toEqual({ loaded: 3, open: 2 });
    await explainer.close();
    expect(count.open).toBe(0);
  });
});

describe.skipIf(!sharedFile('models/models.json'))('real networks', () => {
  test.each(['resnet18_ktb', 'squeezenet1_1', 'mobilenet_v2_1.0_224'])(
    '%s recognises zebra, kitten and parrot',
    async (name) => {
      const expected = JSON.parse(await readFile(sharedFile('images/top5.json')!, 'utf8'));
      const explainer = new PhotoExplainer(
        models.runtime,
        await ModelRegistry.open([sharedFile(`models/${name}.onnx`)!]),
      );
      for (const image of ['zebra.jpg', 'kitten.jpg', 'parrot.jpg']) {
        const { result } = await explainer.explain({
          photo: await readFile(sharedFile(`images/${image}`)!),
          model: name,
          question: resolveQuestion({ method: 'grad-cam' }),
        });
        const [index, , score] = expected[image][name][0];
        expect([image, result.target.class_index]).toEqual([image, index]);
        expect(result.target.probability).toBeCloseTo(score, 3);
      }
      await explainer.close();
    },
  );
});
