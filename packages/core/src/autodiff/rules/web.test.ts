import { describe, expect, it } from 'vitest';
import { ints, weight, x } from '../../testing/cases.ts';
import { gradients } from '../../testing/gradient.ts';
import { cpu } from '../../testing/ort.ts';
import { web } from '../../testing/ort-web.ts';
import { rule, single } from '../../testing/rule-cases.ts';

describe('gradients are the same in ONNX Runtime for the web', () => {
  it.each([
    rule('Mul', 'broadcast', [x(-1, 3, 2), x(2)], {}, single),
    rule('HardSwish', 'activation', [x(-1, 4)], {}, single),
    rule('Gemm', 'transposed', [x(-1, 3), x(2, 3)], { transB: 1 }, single),
    rule('Einsum', 'attention', [x(2, 3, 4), x(2, 5, 4)], { equation: 'bid,bjd->bij' }, single),
    rule(
      'Conv',
      'stride 2 in groups',
      [x(-1, 4, 5, 5), weight(4, 2, 3, 3)],
      { group: 2, strides: [2, 2] },
      single,
    ),
    rule('MaxPool', 'overlapping', [x(-1, 2, 5, 5)], { kernel_shape: [3, 3], strides: [2, 2] }, single),
    rule('AveragePool', 'padded', [x(-1, 2, 4, 4)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, single),
    rule('LayerNormalization', 'last axis', [x(-1, 4), weight(4)], {}, single),
    rule('ReduceL2', 'one axis', [x(-1, 3, 2), ints(1)], {}, single),
    rule('Gather', 'an index twice', [x(-1, 3), ints(2, 0, 2)], { axis: 1 }, single),
    rule('Resize', 'cubic', [x(1, 1, 4, 4), '', '', ints(1, 1, 7, 6)], { mode: 'cubic' }, single),
  ])('$op, $title', async (c) => {
    const [expected, found] = [await gradients(c, cpu), await gradients(c, web)];
    for (const [name, gradient] of Object.entries(expected)) {
      const largest = Math.max(...gradient.map(Math.abs));
      gradient.forEach((v, i) => {
        expect(Math.abs(found[name]![i]! - v) / largest).toBeLessThan(1e-6);
      });
    }
  });
});
