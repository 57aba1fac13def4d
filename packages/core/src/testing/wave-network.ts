import { float32, sizeOf } from '../tensor.ts';
import { networkOf } from './network.ts';

/** Makes a tensor whose element i is scale·sin(1.7i + 1). */
export const wave = (shape: readonly number[], scale = 1) =>
  float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(1.7 * i + 1)),
  );

/** Conv(1→2, 3×3) `c1`, ReLU `relu`, max pool 2×2 `pool`, Conv(2→3, 1×1) `c2`, ReLU, Linear(6→2). */
export const waveNetwork = networkOf([1, 2, 4], (layer, image, g) => {
  const c1 = layer('c1', 'Conv', [image, g.constant(wave([2, 1, 3, 3]), 'w1'), g.floats([2], [0.1, -0.2])], {
    pads: [1, 1, 1, 1],
  });
  const pool = layer('pool', 'MaxPool', [layer('relu', 'Relu', [c1])], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  const c2 = layer('c2', 'Conv', [
    pool,
    g.constant(wave([3, 2, 1, 1]), 'w2'),
    g.floats([3], [0.3, 0.1, -0.1]),
  ]);
  const flat = layer('flat', 'Flatten', [layer('act', 'Relu', [c2])]);
  return layer('scores', 'Gemm', [flat, g.constant(wave([2, 6]), 'w3')], { transB: 1 });
});
