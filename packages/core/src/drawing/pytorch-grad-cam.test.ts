import { describe, expect, it } from 'vitest';
import { golden, hasRealGoldens, realGolden } from '../image/golden.ts';
import { floatMap } from '../image/picture.ts';
import type { Tensor } from '../tensor.ts';
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

describe.skipIf(!hasRealGoldens)('as pytorch-grad-cam records it on a photo', () => {
  const recorded = (what: string) => realGolden(`resnet18_ktb/both/pgc.GradCAM.layer4.1.t242.${what}`);

  it('scales and resizes Grad-CAM’s map, within float32 rounding', () => {
    const { data } = recorded('lowres') as Tensor<'float32'>;
    // Before it scales, pytorch-grad-cam drops what is negative.
    const positive = data.map((value) => Math.max(value, 0));
    const scaled = scaleCamImage(floatMap(7, 7, positive), 224, 224);
    const again = scaleCamImage(scaled, 224, 224);
    const expected = (recorded('map') as Tensor<'float32'>).data;
    const worst = Math.max(...again.data.map((value, i) => Math.abs(value - expected[i]!)));
    expect(worst).toBeLessThan(1e-6);
  });

  it('lays the map over the photo, level for level', () => {
    const rgb = Float32Array.from(realGolden('inputs/both.rgb').data as Uint8Array, (level) => level / 255);
    const map = floatMap(224, 224, (recorded('map') as Tensor<'float32'>).data);
    const shown = showCamOnImage(rgb, map);
    const expected = recorded('show_cam_on_image_rgb_w0.5').data as Uint8Array;
    expect(shown.data.filter((level, i) => level !== expected[i])).toHaveLength(0);
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
