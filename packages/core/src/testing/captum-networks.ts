import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { add, relu, reshape, sub } from '../onnx/emit.ts';
import { networkOf } from './network.ts';

// Captum's test networks, whose attributions are known by hand. Vectors [N, C] become images [N, C, 1, 1].

const part = (g: GraphBuilder, x: Value, channel: number): Value =>
  g.emit('Gather', [x, g.ints([channel])], { axis: 1 });

/** 1 - ReLU(1 - x), one value per example. */
export const oneUnit = networkOf([1, 1, 1], (_, x, g) =>
  sub(g, g.scalar(1), relu(g, sub(g, g.scalar(1), x))),
);

/** ReLU(ReLU(x₁) - 1 - ReLU(x₂)) */
export const twoUnits = networkOf([2, 1, 1], (_, x, g) =>
  relu(g, sub(g, sub(g, relu(g, part(g, x, 0)), g.scalar(1)), relu(g, part(g, x, 1)))),
);

/** ReLU(ReLU(x₁ - 1) - ReLU(x₂)): the same function of positive inputs in another form. */
export const twoUnitsAnew = networkOf([2, 1, 1], (_, x, g) =>
  relu(g, sub(g, relu(g, sub(g, part(g, x, 0), g.scalar(1))), relu(g, part(g, x, 1)))),
);

/** Three inputs; four units, each of all inputs, the first with bias -10, the others 1; ReLU; two sums, biases -1 and 1. */
export const multiLayer = networkOf([3, 1, 1], (layer, x, g) => {
  const hidden = layer('linear1', 'Gemm', [
    reshape(g, x, [-1, 3]),
    g.floats([3, 4], Array(12).fill(1)),
    g.floats([4], [-10, 1, 1, 1]),
  ]);
  return layer('linear2', 'Gemm', [
    layer('relu', 'Relu', [hidden]),
    g.floats([4, 2], Array(8).fill(1)),
    g.floats([2], [-1, 1]),
  ]);
});

/** Conv(1→2, 3×3 of ones, biases -50 and -75) `conv1`, ReLU `relu1`, four equal units 1 1 1 1 1 -1 -1 -1, ReLU. */
export const oneConv = networkOf([1, 4, 4], (layer, x, g) => {
  const conv = layer('conv1', 'Conv', [
    x,
    g.floats([2, 1, 3, 3], Array(18).fill(1)),
    g.floats([2], [-50, -75]),
  ]);
  const flat = layer('flat', 'Flatten', [layer('relu1', 'Relu', [conv])]);
  const row = [1, 1, 1, 1, 1, -1, -1, -1];
  const units = layer('fc1', 'Gemm', [flat, g.floats([4, 8], [row, row, row, row].flat())], { transB: 1 });
  return layer('scores', 'Relu', [units]);
});

/** 2·ReLU(x₁) + 2·ReLU(x₂ - 1.5) */
export const reluSum = networkOf([2, 1, 1], (_, x, g) => {
  const doubled = (v: Value) => add(g, v, v);
  return add(g, doubled(relu(g, part(g, x, 0))), doubled(relu(g, sub(g, part(g, x, 1), g.scalar(1.5)))));
});
