import { describe, expect, test } from 'vitest';
import type { Preprocessing } from '../../image/preprocessing.ts';
import { presets } from '../preprocessing.ts';
import type { InputFacts } from './input-facts.ts';
import { putTogether, type Source } from './put-together.ts';
import { sourceText } from './said.ts';

const facts: InputFacts = {
  ...{ layout: 'NCHW', channels: 3, sides: [64, 64], stated: true, first: {}, bytes: false },
};
const open: InputFacts = { ...facts, sides: [224, 224], stated: false };

const option = (parts: Partial<Preprocessing>): Source => ({ from: 'option', parts });
const processor = (parts: Partial<Preprocessing>): Source => ({ from: 'preprocessor_config.json', parts });
const trained: Partial<Preprocessing> = {
  ...{ fit: 'crop', resize: 256, crop: [224, 224], size: [224, 224] },
  ...{ channels: 'rgb', scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], resample: 'bicubic' },
};

/** What comes out of it, and who said it, of the parts that matter. */
function together(sources: readonly Source[], of: InputFacts, preset?: Preprocessing) {
  const { preprocessing, from } = putTogether(sources, of, preset);
  const said = (part: keyof Preprocessing) => [preprocessing[part], from[part]];
  return { preprocessing, from, said };
}

describe('who is asked first', () => {
  test('nobody but the file: the size is the file’s, the rest is ImageNet’s and assumed', () => {
    const { preprocessing, from } = together([], facts);
    expect(preprocessing).toEqual({
      ...presets.imagenet,
      size: [64, 64],
      resize: 73,
      pad_color: [114, 114, 114],
    });
    expect(from).toMatchObject({
      layout: 'file',
      size: 'file',
      resize: 'assumed',
      mean: 'assumed',
      scale: 'assumed',
    });
  });

  test('an option counts before a file, part by part', () => {
    const { said } = together([option({ mean: [0, 0, 0] }), processor(trained)], open);
    expect(said('mean')).toEqual([[0, 0, 0], 'option']);
    expect(said('std')).toEqual([[0.5, 0.5, 0.5], 'preprocessor_config.json']);
  });

  test('a preset fills what nothing else states, at the network’s size', () => {
    const { said } = together([option({ std: [1, 1, 1] })], facts, presets['imagenet-half']);
    expect(said('std')).toEqual([[1, 1, 1], 'option']);
    expect(said('mean')).toEqual([[0.5, 0.5, 0.5], 'preset']);
    expect(said('size')).toEqual([[64, 64], 'file']);
    expect(said('resize')).toEqual([73, 'preset']);
  });

  test('what the graph does first is not assumed again', () => {
    const { said } = together([], { ...facts, first: { scale: 1, mean: [0], std: [1] } });
    expect([said('scale'), said('mean')]).toEqual([
      [1, 'graph'],
      [[0], 'graph'],
    ]);
  });

  test('a network that takes bytes gets the pixels as they are', () => {
    const { said } = together([], { ...facts, bytes: true });
    expect([said('scale'), said('mean'), said('std')]).toEqual([
      [1, 'file'],
      [[0], 'file'],
      [[1], 'file'],
    ]);
  });

  test.each([
    [1, 'gray', 'file'],
    [4, 'rgba', 'file'],
    [13, 13, 'file'],
    [3, 'rgb', 'assumed'],
  ])('%i channels are %s, by the %s', (channels, name, from) => {
    expect(together([], { ...facts, channels }).said('channels')).toEqual([name, from]);
  });

  test('an oblong network gets the whole photo', () => {
    const { preprocessing } = together([], { ...facts, sides: [48, 192] });
    expect(preprocessing).toMatchObject({ fit: 'stretch', size: [48, 192], resize: null });
  });
});

describe('each flag changes what it says and nothing else', () => {
  const without = together([], facts).preprocessing;
  test.each<[string, Partial<Preprocessing>, Partial<Preprocessing>]>([
    ['--crop of the same size', { crop: 64 }, { crop: 64 }],
    ['--resize', { resize: 64 }, { resize: 64 }],
    ['--scale', { scale: 1 / 255 }, {}],
    ['--resample', { resample: 'lanczos' }, { resample: 'lanczos' }],
    ['--mean', { mean: [0.1] }, { mean: [0.1] }],
  ])('%s', (_, given, changed) => {
    expect(together([option(given)], facts).preprocessing).toEqual({ ...without, ...changed });
  });

  test('--crop beside a file that says what to resize to', () => {
    const { said } = together([option({ crop: 64 }), processor(trained)], open);
    expect([said('resize'), said('crop'), said('size')]).toEqual([
      [256, 'preprocessor_config.json'],
      [64, 'option'],
      [[64, 64], 'option'],
    ]);
  });

  test('--no-crop leaves the size to the photo', () => {
    const { said } = together([option({ crop: 'none' }), processor(trained)], open);
    expect([said('resize'), said('size')]).toEqual([
      [256, 'preprocessor_config.json'],
      [null, 'option'],
    ]);
  });

  test('--size keeps the margin that is cropped away', () => {
    const { said } = together([option({ size: [448, 448] }), processor(trained)], open);
    expect([said('resize'), said('crop')]).toEqual([
      [512, 'preprocessor_config.json'],
      [[448, 448], 'preprocessor_config.json'],
    ]);
  });

  test('--fit stretch takes nothing away', () => {
    const { preprocessing } = together([option({ fit: 'stretch' }), processor(trained)], open);
    expect(preprocessing).toMatchObject({ fit: 'stretch', resize: null, crop: null, size: [224, 224] });
  });

  test('--crop 0.5 says what the photo is resized to', () => {
    const { preprocessing } = together([option({ crop: 0.5 }), processor(trained)], open);
    expect(preprocessing).toMatchObject({ crop: 0.5, resize: null, size: [224, 224] });
  });

  test('--scale 1: an assumed mean is that of the same pixels', () => {
    const { preprocessing } = together([option({ scale: 1 })], facts);
    preprocessing.mean.forEach((value, i) => {
      expect(value).toBeCloseTo([123.675, 116.28, 103.53][i]!, 9);
    });
  });
});

describe('M3: what cannot be true of the network', () => {
  test.each<[Source, string]>([
    [processor({ mean: [1, 2] }), 'mean: expected one number, or 3 for the network’s channels; got 2'],
    [option({ std: [1, 2, 3, 4] }), 'std: expected one number, or 3 for the network’s channels; got 4'],
    [processor({ channels: 'gray' }), 'channels: expected rgb or bgr (the network takes 3), got gray'],
  ])('%j', (source, message) => {
    expect(() => together([source], facts)).toThrow(
      `${message.replace('’', "'")} (from ${sourceText(source.from)})`,
    );
  });

  test('a file that keeps the whole photo, and a network of one size: its middle is cut out', () => {
    const whole = processor({ fit: 'crop', resize: 80, crop: 'none', size: null });
    expect(together([whole], facts).preprocessing).toMatchObject({ resize: 80, crop: null, size: [64, 64] });
    expect(together([whole], open).preprocessing).toMatchObject({ resize: 80, crop: 'none', size: null });
  });
});
