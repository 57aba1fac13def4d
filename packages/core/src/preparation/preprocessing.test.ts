import { describe, expect, test } from 'vitest';
import { sidesOf } from '../image/preprocessing.ts';
import { digested } from './older-preprocessing.ts';
import { imagenet, preprocessingSchema, presets } from './preprocessing.ts';

const older = {
  layout: 'NCHW',
  channels: 'RGB',
  scale: 'x/255',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  resize_short_side: 256,
  resample: 'bilinear, antialiased (as PIL)',
  center_crop: 224,
};

describe('preprocessing in the form of earlier releases', () => {
  test('means what it meant', () => {
    expect(preprocessingSchema.parse(older)).toEqual(imagenet);
    expect(
      preprocessingSchema.parse({
        ...older,
        channels: 'BGR',
        scale: 'x',
        resample: 'bicubic, antialiased (as PIL)',
      }),
    ).toMatchObject({ channels: 'bgr', scale: 1, resample: 'bicubic' });
  });

  test('what it did not state was not done', () => {
    expect(preprocessingSchema.parse({ center_crop: 64 })).toMatchObject({
      size: [64, 64],
      resize: 'none',
      crop: null,
    });
    expect(preprocessingSchema.parse({ resize_short_side: 64, center_crop: null })).toMatchObject({
      size: null,
      resize: 64,
      crop: 'none',
    });
  });

  test('keeps the digest that it had, to the letter, which stored results carry', () => {
    expect(JSON.stringify(digested(older, imagenet))).toBe(JSON.stringify(older));
    const own = { resample: 'bilinear', center_crop: 8 };
    expect(digested(own, preprocessingSchema.parse(own))).toEqual({
      ...older,
      resize_short_side: null,
      ...own,
    });
    // A manifest that said nothing, and a preset by its name.
    expect(JSON.stringify(digested(undefined, imagenet))).toBe(JSON.stringify(older));
    expect(JSON.stringify(digested(presets['imagenet-caffe'], presets['imagenet-caffe']))).toBe(
      JSON.stringify({ ...older, channels: 'BGR', scale: 'x', mean: [104, 117, 123], std: [1, 1, 1] }),
    );
  });

  test('what it could not state has a digest of its own', () => {
    const gray = preprocessingSchema.parse({ channels: 'gray', size: 28, mean: [0.1307], std: [0.3081] });
    expect(digested(gray, gray)).toEqual(gray);
  });

  test('wrong members are named', () => {
    for (const [wrong, path] of [
      [{ ...older, scale: 'x/256' }, 'scale'],
      [{ ...older, resample: 'magic' }, 'resample'],
      [{ channels: 'gray', mean: [0.5, 0.5] }, 'mean'],
      [{ std: [1, 0, 1] }, 'std'],
      [{ crop: 1.5 }, 'crop'],
    ] as const)
      expect(preprocessingSchema.safeParse(wrong).error?.issues[0]?.path, path).toEqual([path]);
  });
});

test('the sides of the input follow from size, resize and crop', () => {
  const shape = (given: object) => sidesOf(preprocessingSchema.parse(given));
  expect(shape({ size: [48, 192] })).toEqual([48, 192]);
  expect(shape({ size: 28, channels: 'gray', layout: 'NHWC', mean: [0], std: [1] })).toEqual([28, 28]);
  expect(shape({ size: 224, crop: 0.875 })).toEqual([224, 224]);
  expect(shape({ size: 224, crop: 8 })).toEqual([8, 8]);
  expect(shape({ size: 224, resize: 256, crop: 'none' })).toBeNull();
  expect(shape({ resize: [32, 64] })).toEqual([32, 64]);
});
