import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { picture, raster } from './picture.ts';
import { preprocess } from './preprocess.ts';
import vectors from './preprocess-vectors.json' with { type: 'json' };
import type { Preprocessing } from './preprocessing.ts';

const plain: Preprocessing = {
  layout: 'NCHW',
  channels: 'rgb',
  size: null,
  fit: 'crop',
  resize: null,
  crop: null,
  pad_color: [0, 0, 0],
  resample: 'bilinear',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const twoPixels = picture(2, 1, Uint8Array.of(255, 128, 0, 10, 20, 30));
const ramp = (width: number, height: number) =>
  picture(
    width,
    height,
    Uint8Array.from({ length: width * height * 3 }, (_, i) => 1 + (i % 255)),
  );

describe('preprocess', () => {
  it('normalises channel by channel in float32', () => {
    const { input } = preprocess(twoPixels, plain);
    expect(input.shape).toEqual([1, 3, 1, 2]);
    // torch: ((x / 255) - mean) / std in float32
    expect([...input.data]).toEqual(
      [2.2489083, -1.9466565, 0.20518194, -1.6855742, -1.8044444, -1.2815686].map((v) =>
        expect.closeTo(v, 6),
      ),
    );
  });

  it('orders channels and axes as the network wants them', () => {
    const caffe = { ...plain, channels: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 1, 1] } as const;
    expect([...preprocess(twoPixels, caffe).input.data]).toEqual([-104, -74, 11, -97, 132, -113]);
    const { input } = preprocess(twoPixels, { ...caffe, layout: 'NHWC' });
    expect(input.shape).toEqual([1, 1, 2, 3]);
    expect([...input.data]).toEqual([-104, 11, 132, -74, -97, -113]);
  });

  it('tells where the crop lies on the photo', () => {
    const { region, crop } = preprocess(ramp(1280, 853), {
      ...plain,
      resize: 256,
      crop: 224,
    });
    expect(crop).toMatchObject({ width: 224, height: 224 });
    // resized to 384×256, cropped at (80, 16)
    expect(region).toEqual({
      x: (80 * 1280) / 384,
      y: 16 * (853 / 256),
      width: expect.closeTo((224 * 1280) / 384, 9),
      height: 224 * (853 / 256),
    });
  });

  it('pads with black where the photo is smaller than the crop', () => {
    const { crop, region } = preprocess(ramp(3, 2), { ...plain, crop: 4 });
    expect(region).toEqual({ x: 0, y: -1, width: 4, height: 4 });
    const at = (x: number, y: number) => crop.data[(y * 4 + x) * 3];
    expect([at(0, 0), at(0, 1), at(2, 2), at(3, 1), at(0, 3)]).toEqual([0, 1, 16, 0, 0]);
  });

  it('D7: a photo of 50 000×1 costs no more than its crop', () => {
    const { crop } = preprocess(ramp(50_000, 1), { ...plain, resize: 256, crop: 224 });
    expect(crop).toMatchObject({ width: 224, height: 224 });
  });

  it('D7: refuses a photo that would grow beyond measure without a crop', () => {
    expect(() => preprocess(ramp(50_000, 1), { ...plain, resize: 256 })).toThrow(
      expect.objectContaining({ code: 'image_too_large' }),
    );
  });

  it('refuses a mean of the wrong length and a std of zero', () => {
    expect(() => preprocess(twoPixels, { ...plain, mean: [0.5, 0.5] })).toThrow(InputError);
    expect(() => preprocess(twoPixels, { ...plain, std: [1, 0, 1] })).toThrow(/std positive/);
  });
});

/** What Pillow was given: i² · 31 + i · 17 + (i >> 3) · 101 modulo 256. */
const pattern = picture(
  11,
  7,
  Uint8Array.from({ length: 231 }, (_, i) => (i * i * 31 + i * 17 + (i >> 3) * 101) % 256),
);

describe('every fit and channel', () => {
  it.each(vectors.cases)('gives Pillow’s levels: $name', ({ preprocessing, shape, levels }) => {
    const raw = {
      ...plain,
      layout: 'NHWC',
      scale: 1,
      mean: [0],
      std: [1],
      ...preprocessing,
    } as unknown as Preprocessing;
    const { input } = preprocess(pattern, raw);
    expect(input.shape).toEqual([1, ...shape, ...(shape.length === 2 ? [1] : [])]);
    expect([...input.data]).toEqual(levels);
  });

  it('lays a letterboxed photo’s region beyond the photo, by as much as the padding', () => {
    const { region } = preprocess(ramp(200, 100), { ...plain, size: [50, 50], fit: 'letterbox' });
    // 50×25 on 50×50, 12 rows above it.
    expect(region).toEqual({ x: 0, y: -48, width: 200, height: 200 });
  });

  it('changes by one option what that option says and nothing else', () => {
    const stated: Preprocessing = { ...plain, size: [64, 64], resize: 73 };
    const photo = ramp(146, 292);
    const usual = preprocess(photo, stated);
    expect(preprocess(photo, { ...stated, crop: 64 }).input).toEqual(usual.input);
    expect(preprocess(photo, { ...stated, crop: 32 }).region).toEqual({
      x: 40,
      y: 114,
      width: 64,
      height: 64,
    });
    expect(preprocess(photo, { ...stated, crop: 'none' }).input.shape).toEqual([1, 3, 146, 73]);
    expect(preprocess(photo, { ...stated, resize: 146 }).input.shape).toEqual([1, 3, 64, 64]);
  });

  it('takes alpha as a fourth channel, which a photo without one has at 255', () => {
    const rgba = { ...plain, channels: 'rgba', scale: 1, mean: [0], std: [1] } as const;
    expect([...preprocess(twoPixels, rgba).input.data.subarray(6)]).toEqual([255, 255]);
    const pixel = raster(1, 1, 4, Uint8Array.of(1, 2, 3, 4));
    expect([...preprocess(pixel, rgba).input.data]).toEqual([1, 2, 3, 4]);
    expect([...preprocess(pixel, { ...rgba, channels: 'bgr' }).input.data]).toEqual([3, 2, 1]);
  });

  it('leaves bands in the file’s own range, and refuses another number of them', () => {
    const bands = raster(1, 1, 5, Float32Array.of(0, 1000, 2000, 3000, 10_000));
    const five = { ...plain, channels: 5, scale: 1 / 10_000, mean: [0], std: [1] };
    expect([...preprocess(bands, five).input.data]).toEqual([0, 0.1, 0.2, 0.3, 1].map(Math.fround));
    expect(() => preprocess(twoPixels, five)).toThrow(
      'the network takes images with 5 bands, but this file has 3 bands',
    );
  });
});
