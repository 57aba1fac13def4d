import type { Value } from '../../onnx/builder.ts';
import { optional, required } from '../operands.ts';
import { real } from '../quantized.ts';
import type { Upgrade } from '../upgraded.ts';
import { withBias } from './products.ts';

// Products of whole numbers whose results are real numbers.

export const quantizedProducts = {
  'com.microsoft.MatMulIntegerToFloat'(g, node) {
    const [a, b, aScale, bScale] = required(node, 4) as [Value, Value, Value, Value];
    const columns = g.shape(b).length - 1;
    const left = real(g, a, aScale, optional(node, 4), g.shape(a).length - 2);
    const right = real(g, b, bScale, optional(node, 5), columns);
    return withBias(g, node, left, right, optional(node, 6));
  },
  'com.microsoft.DynamicQuantizeMatMul'(g, node) {
    const [a, b, bScale] = required(node, 3) as [Value, Value, Value];
    const [levels, factor, zero] = g.emitAll('DynamicQuantizeLinear', [a], {}, 3) as [Value, Value, Value];
    const right = real(g, b, bScale, optional(node, 3), g.shape(b).length - 1);
    return withBias(g, node, real(g, levels, factor, zero, 0), right, optional(node, 4));
  },
} satisfies Record<string, Upgrade>;
