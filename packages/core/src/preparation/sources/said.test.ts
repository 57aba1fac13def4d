import { describe, expect, test } from 'vitest';
import { readConfig, readProcessor } from './hugging-face.ts';
import { readMetadata } from './metadata.ts';
import { parsePythonLiteral } from './python-literal.ts';
import { statedSchema } from './stated.ts';
import { readTimm } from './timm.ts';

const file = 'preprocessor_config.json';
const half = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const processor = (given: object) => readProcessor({ ...half, ...given }, file).parts;

describe('preprocessor_config.json of Hugging Face', () => {
  const geometries: [what: string, given: object, geometry: object][] = [
    [
      'ViT: both sides',
      { image_processor_type: 'ViTImageProcessor', size: { height: 384, width: 384 } },
      { fit: 'stretch', resize: [384, 384], crop: 'none', size: [384, 384] },
    ],
    [
      'ViT of older releases: one number is both sides',
      { feature_extractor_type: 'ViTFeatureExtractor', size: 224 },
      { fit: 'stretch', resize: [224, 224], crop: 'none', size: [224, 224] },
    ],
    [
      'CLIP of older releases: one number is the short side',
      { feature_extractor_type: 'CLIPFeatureExtractor', size: 224, do_center_crop: true, crop_size: 224 },
      { fit: 'crop', resize: 224, crop: [224, 224], size: [224, 224] },
    ],
    [
      'DeiT: both sides, then a crop',
      { size: { height: 256, width: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 } },
      { fit: 'stretch', resize: [256, 256], crop: [224, 224], size: [224, 224] },
    ],
    [
      'DINOv2: the short side, then a crop',
      { size: { shortest_edge: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 } },
      { fit: 'crop', resize: 256, crop: [224, 224], size: [224, 224] },
    ],
    [
      'ConvNeXt at 224: a margin',
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 224 }, crop_pct: 0.875 },
      { fit: 'crop', resize: 256, crop: [224, 224], size: [224, 224] },
    ],
    [
      'ConvNeXt at 384: no margin',
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 384 }, crop_pct: 0.875 },
      { fit: 'stretch', resize: [384, 384], crop: 'none', size: [384, 384] },
    ],
    [
      'the short side without a crop',
      { size: { shortest_edge: 256 } },
      { fit: 'crop', resize: 256, crop: 'none', size: null },
    ],
    [
      'no resize',
      { do_resize: false, do_center_crop: true, crop_size: 96 },
      { fit: 'crop', resize: 'none', crop: [96, 96], size: [96, 96] },
    ],
  ];
  test.each(geometries)('%s', (_, given, geometry) => {
    const { fit, resize, crop, size } = processor(given);
    expect({ fit, resize, crop, size }).toEqual(geometry);
  });

  const values: [what: string, given: object, scale: number, mean: number[], std: number[]][] = [
    ['as it is', {}, 1 / 255, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
    ['a factor', { rescale_factor: 1 / 127.5, do_normalize: false }, 1 / 127.5, [0], [1]],
    [
      'an offset of one',
      { rescale_factor: 1 / 127.5, rescale_offset: true, do_normalize: false },
      1 / 127.5,
      [1],
      [1],
    ],
    ['neither', { do_rescale: false, do_normalize: false }, 1, [0], [1]],
    [
      'MobileViT, which normalises nothing',
      { image_processor_type: 'MobileViTImageProcessor' },
      1 / 255,
      [0],
      [1],
    ],
  ];
  test.each(values)('values: %s', (_, given, scale, mean, std) => {
    expect(processor(given)).toMatchObject({ scale, mean, std });
  });

  test('channels in the other order, and PIL’s numbers of filters', () => {
    expect(processor({ do_flip_channel_order: true, resample: 3 })).toMatchObject({
      ...{ channels: 'bgr', resample: 'bicubic' },
    });
    expect([0, 1, 2, 4, 5].map((resample) => processor({ resample }).resample)).toEqual([
      ...['nearest', 'lanczos', 'bilinear', 'box', 'hamming'],
    ]);
  });

  const wrong: [given: object, message: RegExp][] = [
    [{ image_mean: 'grey' }, /"preprocessor_config.json": image_mean: /],
    [
      { image_mean: [0.5, null, 0.5] },
      /image_mean: expected a number, or a list of numbers; got \[0.5,null,0.5\]/,
    ],
    [{ image_std: [0, 1, 1] }, /image_std: expected numbers above 0/],
    [{ size: 'large' }, /"preprocessor_config.json": size: /],
    [{ size: { height: 'a', width: 2 } }, /size: /],
    [{ resample: 9 }, /resample: /],
    [{ do_resize: 'yes' }, /do_resize: expected boolean; got "yes"/],
  ];
  test.each(wrong)('M3: %j is refused by file and member', (given, message) => {
    expect(() => processor(given)).toThrow(message);
  });

  test('a form of size that nobody knows is said, not guessed', () => {
    const { parts, notes } = readProcessor({ ...half, size: { max_height: 3, max_width: 4 } }, file);
    expect(parts.size).toBeUndefined();
    expect(notes).toEqual([
      expect.stringMatching(/size {"max_height":3,"max_width":4} is not a size that Whylight knows/),
    ]);
  });
});

describe('config.json', () => {
  test('of Hugging Face: names by index and the size', () => {
    const { parts, labels } = readConfig(
      { id2label: { 1: 'dog', 0: 'cat' }, image_size: 224 },
      'config.json',
    );
    expect([parts, labels]).toEqual([
      { size: [224, 224] },
      [
        { en: 'cat', zh: null },
        { en: 'dog', zh: null },
      ],
    ]);
  });

  test('of Hugging Face: LABEL_0 is no name', () => {
    expect(readConfig({ id2label: { 0: 'LABEL_0', 1: 'LABEL_1' } }, 'config.json').labels).toBeUndefined();
  });

  test('M3: names that leave an index out, and none that are a list of numbers', () => {
    expect(() => readConfig({ id2label: { 0: 'a', 2: 'b' } }, 'config.json')).toThrow('none has index 1');
    expect(() => readConfig({ id2label: [1, 2] }, 'config.json')).toThrow('"config.json": id2label');
  });

  const trained = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: 'bicubic' };
  const timm: [what: string, given: object, geometry: object][] = [
    [
      'a margin',
      { input_size: [3, 224, 224], crop_pct: 0.9, crop_mode: 'center' },
      { size: [224, 224], fit: 'crop', resize: 248, crop: [224, 224] },
    ],
    [
      'all of it',
      { input_size: [3, 384, 384], crop_pct: 1, crop_mode: 'squash' },
      { size: [384, 384], fit: 'stretch', resize: [384, 384], crop: [384, 384] },
    ],
    [
      'a border',
      { input_size: [3, 224, 224], crop_pct: 1, crop_mode: 'border' },
      { size: [224, 224], fit: 'letterbox', pad_color: [128, 128, 128] },
    ],
  ];
  test.each(timm)('of timm: %s', (_, given, geometry) => {
    const { parts } = readTimm({ pretrained_cfg: { ...trained, ...given } }, 'config.json');
    expect(parts).toMatchObject({ ...geometry, mean: [0.5, 0.5, 0.5], resample: 'bicubic', scale: 1 / 255 });
  });

  test('of timm: names are what is said of them', () => {
    const { labels } = readTimm(
      {
        pretrained_cfg: trained,
        label_names: ['n1', 'constructor'],
        label_descriptions: { n1: 'tench, Tinca tinca' },
      },
      'config.json',
    );
    expect(labels?.map(({ en }) => en)).toEqual(['tench, Tinca tinca', 'constructor']);
  });
});

describe('metadata', () => {
  const of = (entries: Record<string, string>) => readMetadata(new Map(Object.entries(entries)));

  test('of ultralytics: names as Python prints a dict, the size, nothing normalised', () => {
    const { parts, labels } = of({
      description: 'Ultralytics YOLOv8n-cls model trained on imagenet',
      author: 'Ultralytics',
      task: 'classify',
      imgsz: '[224, 224]',
      names: `{0: 'tench', 1: "rock 'n' roll", 2: 'caf\\xe9'}`,
    });
    expect(parts).toEqual({
      ...{ size: [224, 224], fit: 'crop', resize: 224, crop: [224, 224], resample: 'bilinear' },
      ...{ channels: 'rgb', scale: 1 / 255, mean: [0], std: [1] },
    });
    expect(labels?.map(({ en }) => en)).toEqual(['tench', "rock 'n' roll", 'café']);
  });

  test('of Azure Custom Vision: channels and range', () => {
    expect(
      of({ 'Image.BitmapPixelFormat': 'Bgr8', 'Image.NominalPixelRange': 'NominalRange_0_255' }).parts,
    ).toEqual({ channels: 'bgr', scale: 1, mean: [0], std: [1] });
    expect(of({ 'Image.NominalPixelRange': 'Normalized_1_1' }).parts).toMatchObject({
      scale: 1 / 127.5,
      mean: [1],
    });
  });

  test('of PaddlePaddle: names one a line', () => {
    const { labels } = of({ character: '0\n90\n180\n270' });
    expect(labels?.map(({ en }) => en)).toEqual(['0', '90', '180', '270']);
  });

  test('of our own: what a manifest says', () => {
    const { parts, labels } = of({
      'whylight.preprocessing': '{"size": 64, "mean": 0.5, "channels": "gray"}',
      'whylight.labels': '["cat", "dog"]',
    });
    expect(parts).toEqual({ size: [64, 64], mean: [0.5], channels: 'gray' });
    expect(labels?.length).toBe(2);
  });

  test.each([
    ['[', 'names'],
    ["{0: 'a', 2: 'b'}", 'names'],
    ['__import__("os")', 'names'],
    ['17', 'whylight.labels'],
  ])('M3: %s as %s is refused', (text, key) => {
    expect(() => of({ [key]: text })).toThrow(`metadata ${key}: expected a list of names`);
  });

  test('what is not ours to judge is left alone', () => {
    expect(of({ classes: 'yes', labels: '{', task: 'classify', imgsz: 'x' })).toEqual({
      ...{ parts: {}, labels: undefined, notes: [] },
    });
  });
});

describe('what Python prints', () => {
  test.each([
    [
      `{0: 'a', 1: "b"}`,
      new Map([
        [0, 'a'],
        [1, 'b'],
      ] as [number, string][]),
    ],
    [`['a', ('b',), None, True, -1.5e3]`, ['a', ['b'], null, true, -1500]],
    ['{}', new Map()],
  ])('%s', (text, value) => {
    expect(parsePythonLiteral(text)).toEqual(value);
  });

  test.each(['', '{', "{'a'}", "['a' 'b']", "'a", 'f()', '[1]]', '['.repeat(50), '1 + 1', "'\\U00110000'"])(
    '%s is nothing that is read',
    (text) => {
      expect(parsePythonLiteral(text)).toBeUndefined();
    },
  );
});

describe('what a manifest states', () => {
  test('in an older form', () => {
    const older = {
      ...{ layout: 'NCHW', channels: 'BGR', scale: 'x (0..255)', mean: [104, 117, 123], std: [1, 1, 1] },
      ...{ resize_short_side: 256, resample: 'bilinear, antialiased (as PIL)', center_crop: 224 },
    };
    expect(statedSchema.parse(older)).toEqual({
      ...{ layout: 'NCHW', channels: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 1, 1] },
      ...{ fit: 'crop', resize: 256, crop: null, size: [224, 224], resample: 'bilinear' },
    });
  });

  test('and nothing else: what it leaves out stays out', () => {
    expect(statedSchema.parse({ mean: [0.1, 0.2, 0.3] })).toEqual({ mean: [0.1, 0.2, 0.3] });
  });

  test('a side that is not there is one that is not changed, in the older form', () => {
    expect(statedSchema.parse({ center_crop: 8 })).toMatchObject({ resize: 'none', size: [8, 8] });
  });
});
