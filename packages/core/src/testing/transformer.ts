import type { Value } from '../onnx/builder.ts';
import { float32, int64, sizeOf } from '../tensor.ts';
import { networkOf, tinyShape } from './network.ts';

/**
 * Makes a vision transformer of two blocks over 3×3 patches of images [2, 6, 6]: class token first, width 4, two heads,
 * three classes. Parameter k is 0.8·sin(1.7k + 0.3), counted in the order of use. A `batch` becomes a constant of its
 * shapes; `activation` is the function between its layers.
 */
export function tinyTransformer(batch = -1, activation: 'Tanh' | 'Relu' = 'Tanh'): Uint8Array {
  let k = 0;
  const parameter = (shape: readonly number[], around = 0) =>
    float32(
      shape,
      Array.from({ length: sizeOf(shape) }, () => around + 0.8 * Math.sin(1.7 * k++ + 0.3)),
    );
  return networkOf(
    tinyShape,
    (layer, image, g) => {
      const learned = (...shape: number[]) => g.constant(parameter(shape));
      const shaped = (name: string, x: Value, ...shape: number[]) =>
        layer(name, 'Reshape', [x, g.constant(int64([shape.length], shape))]);
      const linear = (name: string, x: Value, from: number, to: number) =>
        layer(name, 'Add', [layer(`${name}.product`, 'MatMul', [x, learned(from, to)]), learned(to)]);
      const normalised = (name: string, x: Value) =>
        layer(name, 'LayerNormalization', [x, g.constant(parameter([4], 1)), learned(4)], { axis: -1 });

      const patches = layer('patches', 'Conv', [image, learned(4, 2, 2, 2), learned(4)], { strides: [2, 2] });
      const places = layer('places', 'Transpose', [shaped('flat', patches, batch, 4, 9)], {
        perm: [0, 2, 1],
      });
      const zero = layer('zero', 'Mul', [
        layer('first', 'Slice', [places, g.ints([0]), g.ints([1]), g.ints([1])]),
        g.scalar(0),
      ]);
      const tokens = layer('tokens', 'Concat', [layer('class', 'Add', [zero, learned(4)]), places], {
        axis: 1,
      });
      let x = layer('embedded', 'Add', [tokens, learned(10, 4)]);
      for (const block of ['block0', 'block1']) {
        const norm = normalised(`${block}.norm1`, x);
        const heads = (name: string, perm: readonly number[]) =>
          layer(
            `${block}.${name}.heads`,
            'Transpose',
            [shaped(`${block}.${name}.split`, linear(`${block}.${name}`, norm, 4, 4), batch, 10, 2, 2)],
            { perm },
          );
        const products = layer(`${block}.products`, 'MatMul', [
          heads('q', [0, 2, 1, 3]),
          heads('k', [0, 2, 3, 1]),
        ]);
        const weights = layer(`${block}.attention`, 'Softmax', [products], { axis: -1 });
        const mixed = layer(
          `${block}.mixed`,
          'Transpose',
          [layer(`${block}.values`, 'MatMul', [weights, heads('v', [0, 2, 1, 3])])],
          { perm: [0, 2, 1, 3] },
        );
        const merged = shaped(`${block}.merged`, mixed, batch, 10, 4);
        x = layer(`${block}.sum1`, 'Add', [x, linear(`${block}.out`, merged, 4, 4)]);
        const hidden = linear(`${block}.fc1`, normalised(`${block}.norm2`, x), 4, 8);
        x = layer(`${block}.sum2`, 'Add', [
          x,
          linear(`${block}.fc2`, layer(`${block}.act`, activation, [hidden]), 8, 4),
        ]);
      }
      const first = layer('read', 'Gather', [normalised('norm', x), g.constant(int64([], [0]))], { axis: 1 });
      return layer('logits', 'Gemm', [first, learned(4, 3), learned(3)]);
    },
    batch,
  );
}
