import { expect, it } from 'vitest';
import { float32, tensor } from '../../tensor.ts';
import { explain } from '../../testing/explain.ts';
import { networkOf } from '../../testing/network.ts';

it('weights that the file computes are weights: CAM of an average and a linear layer is Grad-CAM', async () => {
  const model = networkOf([2, 6, 6], (layer, image, g) => {
    const wave = (shape: number[]) =>
      float32(
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 1.3)),
      );
    const map = layer('map', 'Tanh', [layer('conv', 'Conv', [image, g.constant(wave([4, 2, 3, 3]))])]);
    const flat = layer('flat', 'Flatten', [layer('pool', 'GlobalAveragePool', [map])]);
    const levels = tensor('uint8', [3, 4], Uint8Array.of(9, 130, 200, 77, 140, 90, 3, 250, 128, 64, 32, 99));
    const weights = layer('weights', 'DequantizeLinear', [
      g.constant(levels),
      g.scalar(0.02),
      g.constant(tensor('uint8', [], Uint8Array.of(120))),
    ]);
    return layer('scores', 'Gemm', [flat, weights], { transB: 1 });
  });
  const images = float32(
    [2, 2, 6, 6],
    Array.from({ length: 144 }, (_, i) => Math.cos(i * 0.7)),
  );
  const [cam, gradCam] = [
    await explain(model, { method: 'cam', layers: ['map'] }, images, [0, 1]),
    await explain(model, { method: 'grad-cam', layers: ['map'] }, images, [0, 1]),
  ];
  expect(Math.max(...cam.attribution.data)).toBeGreaterThan(0.9);
  for (const [i, v] of cam.attribution.data.entries())
    expect(Math.abs(v - gradCam.attribution.data[i]!)).toBeLessThan(1e-5);
});
