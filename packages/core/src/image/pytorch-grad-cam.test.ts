import { describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { floatMap } from './picture.ts';
import { deprocessImage, scaleCamImage, showCamOnImage } from './pytorch-grad-cam.ts';

const floats = (name: string) => Float32Array.from(golden![name]!.data);

describe.skipIf(golden === null)('as pytorch-grad-cam records it', () => {
  it.each([
    ['show_cam_on_image.rgb', 0.5],
    ['show_cam_on_image.rgb.w0.3', 0.3],
  ])('%s, level for level', (name, weight) => {
    const shown = showCamOnImage(floats('img'), floatMap(5, 4, floats('mask')), weight);
    expect([...shown.data]).toEqual(golden![name]!.data);
  });

  it('deprocess_image, level for level', () => {
    expect([...deprocessImage(floats('deprocess.in'))]).toEqual(golden!['deprocess.out']!.data);
  });

  it('scale_cam_image, within float32 rounding', () => {
    const scaled = scaleCamImage(floatMap(3, 3, floats('scale_cam_image.in')), 7, 5);
    expect([...scaled.data]).toEqual(
      golden!['scale_cam_image.out(7,5)']!.data.map((value) => expect.closeTo(value, 6)),
    );
  });
});

it('refuses a photo of 8-bit levels and a map of another size', () => {
  const map = floatMap(1, 1, Float32Array.of(0.5));
  expect(() => showCamOnImage(Float32Array.of(0, 128, 255), map)).toThrow(/floats in 0..1/);
  expect(() => showCamOnImage(new Float32Array(6), map)).toThrow(/needs 3 photo values, got 6/);
});

it('makes mid-grey of a constant array', () => {
  expect([...deprocessImage(new Float32Array(3).fill(7))]).toEqual([127, 127, 127]);
});
