import type { Shape, Value } from '../onnx/builder.ts';
import { float32, int64, tensor } from '../tensor.ts';
import { networkOf, tinyNetwork } from './network.ts';

const wave = (...shape: number[]) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
  );

/** Makes small classifiers that together use most operators. */
export function menagerie(opset = 17): Uint8Array[] {
  const network = (shape: Shape, build: Parameters<typeof networkOf>[1]) =>
    networkOf(shape, build, -1, opset);
  const pooled = network([3, 8, 8], (layer, image, g) => {
    const ints = (...values: number[]) => g.constant(int64([values.length], values), `ints${values}`);
    const conv = layer('conv', 'Conv', [image, g.constant(wave(4, 3, 3, 3), 'w')], {
      strides: [2, 2],
      auto_pad: 'SAME_UPPER',
    });
    const clip = layer('clip', 'Clip', [conv, g.scalar(0), g.scalar(6)]);
    const max = layer('max', 'MaxPool', [clip], {
      kernel_shape: [3, 3],
      strides: [1, 1],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
    });
    const mean = layer('mean', 'AveragePool', [clip], {
      kernel_shape: [2, 2],
      strides: [1, 1],
      pads: [0, 0, 1, 1],
    });
    const both = layer('both', 'Concat', [max, mean], { axis: 1 });
    const cut = layer('cut', 'Slice', [both, ints(0, 3), ints(8, -9), ints(1, 3), ints(2, -1)]);
    const large = layer('large', 'Resize', [cut, '', g.constant(float32([4], [1, 1, 2, 1.5]), 'scales')], {
      mode: 'linear',
    });
    const lrn = layer('lrn', 'LRN', [large], { size: 3 });
    const gap = layer('gap', 'ReduceMean', [lrn, ints(2, 3)], { keepdims: 0 });
    return layer(
      'scores',
      'Softmax',
      [layer('fc', 'Gemm', [gap, g.constant(wave(5, 4), 'fcw')], { transB: 1 })],
      { axis: -1 },
    );
  });
  const attention = network([3, 4, 4], (layer, image, g) => {
    const shape = (...values: number[]) => g.constant(int64([values.length], values), `shape${values}`);
    const size = layer('size', 'Shape', [image]);
    const batch = layer('batch', 'Gather', [size, shape(0)]);
    const target = layer('target', 'Concat', [batch, shape(3, 16)], { axis: 0 });
    const flat = layer('flat', 'Reshape', [image, target]);
    const tokens = layer('tokens', 'Transpose', [flat], { perm: [0, 2, 1] });
    const norm = layer('norm', 'LayerNormalization', [tokens, g.constant(wave(3), 'ln')], { axis: -1 });
    const qkv = layer('qkv', 'MatMul', [norm, g.constant(wave(3, 12), 'wqkv')]);
    g.add({
      op: 'Split',
      name: 'split',
      inputs: [qkv, shape(4, 4, 4)],
      outputs: ['q', 'k', 'v'],
      attributes: { axis: 2 },
    });
    const scores = layer('attention', 'Einsum', ['q', 'k'], { equation: 'bid,bjd->bij' });
    const mixed = layer('mixed', 'MatMul', [layer('weights', 'Softmax', [scores]), 'v']);
    const erf = layer('erf', 'Erf', [layer('scaled', 'Div', [mixed, g.scalar(Math.SQRT2)])]);
    const gelu: Value = layer('gelu', 'Mul', [mixed, erf]);
    const first = layer('first', 'Gather', [gelu, g.constant(int64([], [0]), 'zero')], { axis: 1 });
    const padded = layer('padded', 'Pad', [first, shape(0, 1, 0, 0)]);
    return layer('logits', 'Add', [padded, g.constant(wave(5), 'bias')]);
  });
  /** A spatial transformer in whole numbers: dynamic and static quantization, and elements picked by index. */
  const quantized = network([2, 4, 4], (layer, image, g) => {
    const ints = (name: string, shape: readonly number[], ...values: number[]) =>
      g.constant(int64(shape, values), name);
    const byte = (name: string, shape: readonly number[], ...values: number[]) =>
      g.constant(tensor('uint8', shape, Uint8Array.from(values)), name);
    const places = layer('places', 'Conv', [image, g.constant(wave(2, 2, 1, 1), 'where')]);
    const grid = layer('grid', 'Transpose', [layer('bounded', 'Tanh', [places])], { perm: [0, 2, 3, 1] });
    const sampled = layer('sampled', 'GridSample', [image, grid], { padding_mode: 'border' });
    const steps = [g.scalar(0.03), byte('zero', [], 120)];
    const q = layer('q', 'QuantizeLinear', [sampled, ...steps]);
    const filters = [byte('filters', [3, 2, 1, 1], 9, 130, 200, 77, 140, 90), g.scalar(0.02)];
    g.declare('convolved', 'uint8', [-1, 3, 4, 4]);
    layer('convolved', 'QLinearConv', [q, ...steps, ...filters, byte('middle', [], 128), ...steps]);
    const real = layer('real', 'DequantizeLinear', ['convolved', ...steps]);
    const rows = layer('rows', 'Flatten', [real]);
    g.add({
      op: 'TopK',
      name: 'top',
      inputs: [rows, ints('k', [1], 9)],
      outputs: ['best', 'at'],
      attributes: {},
    });
    const written = layer(
      'written',
      'ScatterElements',
      [rows, ints('to', [1, 2], 3, 5), g.constant(wave(1, 2), 'new')],
      {
        axis: 1,
      },
    );
    const both = layer('both', 'Concat', ['best', written], { axis: 1 });
    g.add({
      op: 'DynamicQuantizeLinear',
      name: 'dynamic',
      inputs: [both],
      outputs: ['levels', 'scale', 'offset'],
      attributes: {},
    });
    const weights = byte('weights', [57, 3], ...Array.from({ length: 171 }, (_, i) => (i * 37) % 256));
    const sums = layer('sums', 'MatMulInteger', ['levels', weights, 'offset']);
    return layer('logits', 'Mul', [layer('floats', 'Cast', [sums], { to: 1 }), 'scale']);
  });
  return [tinyNetwork(), tinyNetwork(2), pooled, attention, quantized];
}
