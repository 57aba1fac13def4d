import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { float32, type GraphFile, int64 } from '@whylight/core';
import { networkApart, networkOf } from '@whylight/core/testing';

export interface TransformerSize {
  readonly width: number;
  readonly blocks: number;
  readonly heads: number;
}

/** Sizes of vision transformers by name, for images of 224 and patches of 16. */
export const sizes = {
  tiny: { width: 192, blocks: 12, heads: 3 },
  base: { width: 768, blocks: 12, heads: 12 },
  large: { width: 1024, blocks: 24, heads: 16 },
  /** Its 2.2 GB do not go into one ONNX file. */
  huge: { width: 1280, blocks: 28, heads: 16 },
} satisfies Record<string, TransformerSize>;

/** Numbers that spread about 0, the same each time, quickly. */
let seed = 1;

function weights(shape: readonly number[], scale: number) {
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  let state = Math.imul(seed++, 2654435761) | 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = (state / 2 ** 31) * scale;
  }
  return float32(shape, data);
}

/** A vision transformer with random weights, as an ONNX file: class token first, 1000 classes. */
export const transformer = (size: TransformerSize): Uint8Array => networkOf([3, 224, 224], layersOf(size));

/** Builds the same network with its weights beside the file. */
export const transformerApart = (size: TransformerSize): GraphFile =>
  networkApart([3, 224, 224], layersOf(size));

function layersOf({ width, blocks, heads }: TransformerSize): Parameters<typeof networkOf>[1] {
  const [patch, side, classes] = [16, 14, 1000];
  const [tokens, each] = [side * side + 1, width / heads];
  return (layer, image, g) => {
    const learned = (scale: number, ...shape: number[]) => g.constant(weights(shape, scale));
    const shaped = (name: string, x: string, ...shape: number[]) =>
      layer(name, 'Reshape', [x, g.constant(int64([shape.length], shape))]);
    const linear = (name: string, x: string, from: number, to: number) =>
      layer(name, 'Add', [
        layer(`${name}.product`, 'MatMul', [x, learned(1.7 / Math.sqrt(from), from, to)]),
        learned(0.01, to),
      ]);
    const ones = () => g.constant(float32([width], new Float32Array(width).fill(1)));
    const normalised = (name: string, x: string) =>
      layer(name, 'LayerNormalization', [x, ones(), learned(0.01, width)], { axis: -1 });

    const patches = layer(
      'patches',
      'Conv',
      [image, learned(0.05, width, 3, patch, patch), learned(0.01, width)],
      {
        strides: [patch, patch],
      },
    );
    const places = layer('places', 'Transpose', [shaped('flat', patches, -1, width, side * side)], {
      perm: [0, 2, 1],
    });
    const zero = layer('zero', 'Mul', [
      layer('first', 'Slice', [places, g.ints([0]), g.ints([1]), g.ints([1])]),
      g.scalar(0),
    ]);
    const all = layer('tokens', 'Concat', [layer('class', 'Add', [zero, learned(0.05, width)]), places], {
      axis: 1,
    });
    let x = layer('embedded', 'Add', [all, learned(0.05, tokens, width)]);
    for (let n = 0; n < blocks; n++) {
      const norm = normalised(`b${n}.norm1`, x);
      const split = (name: string, perm: readonly number[]) =>
        layer(
          `b${n}.${name}.heads`,
          'Transpose',
          [
            shaped(
              `b${n}.${name}.split`,
              linear(`b${n}.${name}`, norm, width, width),
              -1,
              tokens,
              heads,
              each,
            ),
          ],
          { perm },
        );
      const products = layer(`b${n}.products`, 'MatMul', [
        split('q', [0, 2, 1, 3]),
        split('k', [0, 2, 3, 1]),
      ]);
      const scaled = layer(`b${n}.scaled`, 'Mul', [products, g.scalar(1 / Math.sqrt(each))]);
      const attention = layer(`b${n}.attention`, 'Softmax', [scaled], { axis: -1 });
      const mixed = layer(
        `b${n}.mixed`,
        'Transpose',
        [layer(`b${n}.values`, 'MatMul', [attention, split('v', [0, 2, 1, 3])])],
        { perm: [0, 2, 1, 3] },
      );
      const merged = shaped(`b${n}.merged`, mixed, -1, tokens, width);
      x = layer(`b${n}.sum1`, 'Add', [x, linear(`b${n}.out`, merged, width, width)]);
      const hidden = layer(`b${n}.act`, 'Relu', [
        linear(`b${n}.up`, normalised(`b${n}.norm2`, x), width, 4 * width),
      ]);
      x = layer(`b${n}.sum2`, 'Add', [x, linear(`b${n}.down`, hidden, 4 * width, width)]);
    }
    const last = normalised('norm', x);
    const first = layer('token', 'Gather', [last, g.constant(int64([], [0]))], { axis: 1 });
    return linear('logits', first, width, classes);
  };
}

/** Writes a file of any length. */
export function writeLarge(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes.length; )
    at += writeSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30));
  closeSync(file);
}

/** Writes a model and, into files beside it, its weights. */
export function writeBeside(folder: string, name: string, { bytes, weights }: GraphFile): void {
  for (const [location, data] of weights) writeLarge(join(folder, location), data);
  writeFileSync(join(folder, name), bytes);
}
