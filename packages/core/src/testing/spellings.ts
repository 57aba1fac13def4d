import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Attributes } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { float32 } from '../tensor.ts';

// Functions in the forms that exporters and people write, over a value [N, 8, 4, 4].

export type Spelling = (g: GraphBuilder, x: Value) => Value;

type Operand = Value | number;

/** Adds nodes to a graph under construction, with numbers for scalar constants. */
export class Writer {
  readonly g: GraphBuilder;

  constructor(g: GraphBuilder) {
    this.g = g;
  }

  of(op: OperatorName, ...inputs: Operand[]): Value {
    return this.with(op, {}, ...inputs);
  }

  with(op: OperatorName, attributes: Attributes, ...inputs: Operand[]): Value {
    const values = inputs.map((v) => (typeof v === 'number' ? this.g.scalar(v) : v));
    return this.g.emit(op, values, attributes);
  }

  mean(x: Value, ...axes: number[]): Value {
    return this.g.emit('ReduceMean', [x, this.g.ints(axes)], { keepdims: 1 });
  }

  weights(...shape: number[]): Value {
    const size = shape.reduce((a, b) => a * b, 1);
    return this.g.constant(
      float32(
        shape,
        Float32Array.from({ length: size }, (_, i) => 1 + Math.sin(i) / 2),
      ),
    );
  }
}

const spelled =
  (make: (w: Writer, x: Value) => Value): Spelling =>
  (g, x) =>
    make(new Writer(g), x);

const channels = 8;

/** Computes x minus its mean, divided by its deviation; `over` does the division. */
const standard = (
  w: Writer,
  x: Value,
  axes: number[],
  over: (w: Writer, top: Value, square: Value) => Value = (w, top, square) =>
    w.of('Div', top, w.of('Sqrt', square)),
  square: (w: Writer, v: Value) => Value = (w, v) => w.of('Pow', v, 2),
): Value => {
  const centred = w.of('Sub', x, w.mean(x, ...axes));
  return over(w, centred, w.of('Add', w.mean(square(w, centred), ...axes), 1e-5));
};

const product = (w: Writer, top: Value, square: Value): Value =>
  w.of('Mul', top, w.of('Reciprocal', w.of('Sqrt', square)));

const affine = (w: Writer, x: Value, ...shape: number[]): Value =>
  w.of('Add', w.of('Mul', x, w.weights(...shape)), w.weights(...shape));

const groups = (w: Writer, x: Value): Value => {
  const { g } = w;
  const grouped = g.emit('Reshape', [x, g.ints([0, 2, -1])]);
  const [ones, zeros] = [g.floats([2], [1, 1]), g.floats([2], [0, 0])];
  return g.emit('Reshape', [g.emit('InstanceNormalization', [grouped, ones, zeros]), g.emit('Shape', [x])]);
};

/** The ways to write each function. */
export const spellings: Readonly<Record<string, Readonly<Record<string, Spelling>>>> = {
  Swish: {
    'x·sigmoid(x)': spelled((w, x) => w.of('Mul', x, w.of('Sigmoid', x))),
    'gate first': spelled((w, x) => w.of('Mul', w.of('Sigmoid', x), x)),
    'x·sigmoid(1.5·x)': spelled((w, x) => w.of('Mul', x, w.of('Sigmoid', w.of('Mul', 1.5, x)))),
    QuickGELU: spelled((w, x) => w.of('Mul', x, w.of('Sigmoid', w.of('Mul', x, 1.702)))),
  },
  Gelu: {
    'erf, ½ last (TorchScript)': spelled((w, x) =>
      w.of('Mul', w.of('Mul', x, w.of('Add', w.of('Erf', w.of('Div', x, Math.SQRT2)), 1)), 0.5),
    ),
    'erf, ½ in the gate (dynamo)': spelled((w, x) =>
      w.of('Mul', x, w.of('Mul', 0.5, w.of('Add', w.of('Erf', w.of('Div', x, Math.SQRT2)), 1))),
    ),
    'erf, ½ before (tf2onnx)': spelled((w, x) =>
      w.of('Mul', w.of('Mul', 0.5, x), w.of('Add', 1, w.of('Erf', w.of('Mul', x, Math.SQRT1_2)))),
    ),
    'erf, halved': spelled((w, x) =>
      w.of('Div', w.of('Mul', x, w.of('Add', w.of('Erf', w.of('Mul', Math.SQRT1_2, x)), 1)), 2),
    ),
    'erf, ½ + ½·erf': spelled((w, x) =>
      w.of('Mul', x, w.of('Add', w.of('Mul', w.of('Erf', w.of('Div', x, Math.SQRT2)), 0.5), 0.5)),
    ),
    'erf, as a sum': spelled((w, x) => {
      const half = w.of('Mul', x, 0.5);
      return w.of('Add', half, w.of('Mul', half, w.of('Erf', w.of('Div', x, Math.SQRT2))));
    }),
    'tanh, a power (dynamo)': spelled((w, x) => tanhGelu(w, x, w.of('Pow', x, 3))),
    'tanh, two products (TorchScript)': spelled((w, x) => tanhGelu(w, x, w.of('Mul', x, w.of('Mul', x, x)))),
    'tanh, x factored out (Keras)': spelled((w, x) => {
      const inner = w.of('Add', 1, w.of('Mul', w.of('Mul', x, x), 0.044715));
      const tanh = w.of('Tanh', w.of('Mul', w.of('Mul', x, Math.sqrt(2 / Math.PI)), inner));
      return w.of('Mul', w.of('Mul', 0.5, x), w.of('Add', 1, tanh));
    }),
  },
  Mish: {
    'x·tanh(softplus(x))': spelled((w, x) => w.of('Mul', x, w.of('Tanh', w.of('Softplus', x)))),
    'by log(1 + eˣ)': spelled((w, x) =>
      w.of('Mul', w.of('Tanh', w.of('Log', w.of('Add', w.of('Exp', x), 1))), x),
    ),
    'with a threshold': spelled((w, x) => {
      const soft = w.of('Log', w.of('Add', 1, w.of('Exp', x)));
      return w.of('Mul', x, w.of('Tanh', w.of('Where', w.of('Greater', x, 20), x, soft)));
    }),
  },
  HardSwish: {
    'x·hardsigmoid(x)': spelled((w, x) =>
      w.of('Mul', x, w.with('HardSigmoid', { alpha: { float: Math.fround(1 / 6) } }, x)),
    ),
    'x·relu6(x + 3)/6': spelled((w, x) =>
      w.of('Div', w.of('Mul', x, w.of('Clip', w.of('Add', x, 3), 0, 6)), 6),
    ),
    'x·(relu6(x + 3)·⅙)': spelled((w, x) =>
      w.of('Mul', x, w.of('Mul', w.of('Clip', w.of('Add', 3, x), 0, 6), 1 / 6)),
    ),
    'by Min and Relu': spelled((w, x) =>
      w.of('Mul', w.of('Mul', x, 1 / 6), w.of('Min', w.of('Relu', w.of('Add', x, 3)), 6)),
    ),
    'clip(x/6 + ½)': spelled((w, x) =>
      w.of('Mul', x, w.of('Clip', w.of('Add', w.of('Div', x, 6), 0.5), 0, 1)),
    ),
  },
  HardSigmoid: {
    'relu6(x + 3)/6': spelled((w, x) => w.of('Div', w.of('Clip', w.of('Add', x, 3), 0, 6), 6)),
    'relu6(x + 3)·⅙': spelled((w, x) => w.of('Mul', 1 / 6, w.of('Clip', w.of('Add', x, 3), 0, 6))),
    'clip(0.2·x + ½)': spelled((w, x) => w.of('Clip', w.of('Add', w.of('Mul', x, 0.2), 0.5), 0, 1)),
    'by Max and Min': spelled((w, x) =>
      w.of('Max', w.of('Min', w.of('Add', w.of('Mul', x, 1 / 6), 0.5), 1), 0),
    ),
  },
  LogSigmoid: {
    'log(sigmoid(x))': spelled((w, x) => w.of('Log', w.of('Sigmoid', x))),
    '-softplus(-x)': spelled((w, x) => w.of('Neg', w.of('Softplus', w.of('Neg', x)))),
    'min(x, 0) - log(1 + e^-|x|)': spelled((w, x) => w.of('Sub', w.of('Min', x, 0), soft(w, x))),
    'by sign': spelled((w, x) =>
      w.of(
        'Where',
        w.of('Less', x, 0),
        w.of('Sub', x, w.of('Softplus', x)),
        w.of('Neg', w.of('Log', w.of('Add', w.of('Exp', w.of('Neg', x)), 1))),
      ),
    ),
  },
  Softplus: {
    'log(1 + eˣ)': spelled((w, x) => w.of('Log', w.of('Add', 1, w.of('Exp', x)))),
    'with a threshold (dynamo)': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 20), x, w.of('Softplus', x)),
    ),
    'max(x, 0) + log(1 + e^-|x|)': spelled((w, x) => w.of('Add', w.of('Max', x, 0), soft(w, x))),
  },
  Softsign: {
    'x / (1 + |x|)': spelled((w, x) => w.of('Div', x, w.of('Add', w.of('Abs', x), 1))),
    'x·1/(1 + |x|)': spelled((w, x) => w.of('Mul', x, w.of('Reciprocal', w.of('Add', 1, w.of('Abs', x))))),
  },
  Elu: {
    'by sign': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 0), x, w.of('Mul', 0.7, w.of('Sub', w.of('Exp', x), 1))),
    ),
    'by sign, the other way round': spelled((w, x) =>
      w.of('Where', w.of('LessOrEqual', x, 0), w.of('Sub', w.of('Exp', w.of('Min', x, 0)), 1), x),
    ),
    'a sum of halves': spelled((w, x) =>
      w.of('Add', w.of('Relu', x), w.of('Mul', w.of('Sub', w.of('Exp', w.of('Min', x, 0)), 1), 1.2)),
    ),
    'max and min (PyTorch’s manual)': spelled((w, x) =>
      w.of('Add', w.of('Max', x, 0), w.of('Min', 0, w.of('Sub', w.of('Exp', x), 1))),
    ),
  },
  Celu: {
    'max and min': spelled((w, x) =>
      w.of(
        'Add',
        w.of('Max', 0, x),
        w.of('Min', w.of('Mul', 1.3, w.of('Sub', w.of('Exp', w.of('Div', x, 1.3)), 1)), 0),
      ),
    ),
    'by sign': spelled((w, x) =>
      w.of(
        'Where',
        w.of('Greater', x, 0),
        x,
        w.of('Mul', 0.5, w.of('Sub', w.of('Exp', w.of('Mul', x, 2)), 1)),
      ),
    ),
  },
  Selu: {
    γ·elu: spelled((w, x) =>
      w.of(
        'Mul',
        1.0507009873554805,
        w.with('Elu', { alpha: { float: Math.fround(1.6732632423543772) } }, x),
      ),
    ),
    'by sign': spelled((w, x) =>
      w.of(
        'Where',
        w.of('Greater', x, 0),
        w.of('Mul', x, 1.0507009873554805),
        w.of('Mul', 1.7580993408473766, w.of('Sub', w.of('Exp', x), 1)),
      ),
    ),
  },
  LeakyRelu: {
    'max(x, a·x)': spelled((w, x) => w.of('Max', x, w.of('Mul', x, 0.1))),
    'by sign': spelled((w, x) => w.of('Where', w.of('Greater', x, 0), x, w.of('Mul', 0.3, x))),
    'relu(x) - a·relu(-x)': spelled((w, x) =>
      w.of('Sub', w.of('Relu', x), w.of('Mul', w.of('Relu', w.of('Neg', x)), 0.2)),
    ),
    'max(x, 0) + a·min(x, 0)': spelled((w, x) =>
      w.of('Add', w.of('Max', x, 0), w.of('Mul', 0.2, w.of('Min', x, 0))),
    ),
    'relu(x) + a·(x - |x|)/2': spelled((w, x) =>
      w.of('Add', w.of('Relu', x), w.of('Mul', w.of('Mul', 0.2, w.of('Sub', x, w.of('Abs', x))), 0.5)),
    ),
  },
  PRelu: {
    'by sign': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 0), x, w.of('Mul', w.weights(channels, 1, 1), x)),
    ),
    'relu(x) + a·relu(-x) (Keras)': spelled((w, x) =>
      w.of('Add', w.of('Relu', x), w.of('Mul', w.weights(channels, 1, 1), w.of('Relu', w.of('Neg', x)))),
    ),
    'max(x, 0) + a·min(x, 0)': spelled((w, x) =>
      w.of('Add', w.of('Mul', w.of('Min', 0, x), w.weights(channels, 1, 1)), w.of('Max', x, 0)),
    ),
  },
  Relu: { 'max(x, 0)': spelled((w, x) => w.of('Max', 0, x)) },
  Clip: {
    'min(relu(x), 6)': spelled((w, x) => w.of('Min', w.of('Relu', x), 6)),
    'max(min(x, 1), -1)': spelled((w, x) => w.of('Max', w.of('Min', 1, x), -1)),
  },
  LayerNormalization: {
    'a quotient (TorchScript)': spelled((w, x) => affine(w, standard(w, x, [-1]), 4)),
    'a product': spelled((w, x) =>
      affine(
        w,
        standard(w, x, [3], product, (w, v) => w.of('Mul', v, v)),
        4,
      ),
    ),
    'without scale and bias': spelled((w, x) => standard(w, x, [1, 2, 3])),
    'folded (Keras 3)': spelled((w, x) => folded(w, x, 3)),
    'folded (TensorFlow)': spelled((w, x) => {
      const mean = w.mean(x, 3);
      const centred = w.of('Sub', x, mean);
      const square = w.of('Add', w.mean(w.of('Mul', centred, centred), 3), 1e-3);
      const k = w.of('Mul', w.of('Reciprocal', w.of('Sqrt', square)), w.weights(4));
      return w.of('Add', w.of('Mul', x, k), w.of('Sub', w.weights(4), w.of('Mul', mean, k)));
    }),
    'by the mean of squares': spelled((w, x) => {
      const mean = w.mean(x, 3);
      const variance = w.of('Sub', w.mean(w.of('Mul', x, x), 3), w.of('Mul', mean, mean));
      return w.of('Div', w.of('Sub', x, mean), w.of('Sqrt', w.of('Add', variance, 1e-3)));
    }),
  },
  LayerNorm2d: {
    'over channels (ConvNeXt)': spelled((w, x) => affine(w, standard(w, x, [1]), channels, 1, 1)),
    'over channels, no scale': spelled((w, x) => standard(w, x, [1], product)),
  },
  InstanceNormalization: {
    'spelled out': spelled((w, x) => affine(w, standard(w, x, [2, 3]), 1, channels, 1, 1)),
    'with a pool for the mean': spelled((w, x) => {
      const centred = w.of('Sub', x, w.of('GlobalAveragePool', x));
      const variance = w.of('GlobalAveragePool', w.of('Mul', centred, centred));
      return w.of('Div', centred, w.of('Sqrt', w.of('Add', variance, 1e-5)));
    }),
  },
  GroupNormalization: {
    'instances of groups (PyTorch)': spelled((w, x) => affine(w, groups(w, x), channels, 1, 1)),
    'spelled out': spelled((w, x) => {
      const { g } = w;
      const grouped = g.emit('Reshape', [x, g.ints([0, 4, 2, 4, 4])]);
      const back = g.emit('Reshape', [standard(w, grouped, [2, 3, 4]), g.ints([0, channels, 4, 4])]);
      return affine(w, back, channels, 1, 1);
    }),
    'a scale for each group': spelled((w, x) => {
      const { g } = w;
      const grouped = g.emit('Reshape', [x, g.ints([0, 2, -1])]);
      const normal = g.emit('InstanceNormalization', [grouped, w.weights(2), w.weights(2)]);
      return g.emit('Reshape', [normal, g.ints([-1, channels, 4, 4])]);
    }),
  },
  RMSNormalization: {
    'a product (dynamo)': spelled((w, x) => w.of('Mul', rms(w, x, product), w.weights(4))),
    'by 1/√ (TorchScript)': spelled((w, x) =>
      rms(w, x, (w, top, square) => w.of('Mul', top, w.of('Div', 1, w.of('Sqrt', square)))),
    ),
    'by a power': spelled((w, x) =>
      rms(w, x, (w, top, square) => w.of('Mul', w.of('Pow', square, -0.5), top)),
    ),
    'a quotient': spelled((w, x) => rms(w, x, (w, top, square) => w.of('Div', top, w.of('Sqrt', square)))),
  },
  Softmax: {
    'over channels, turned (opset 11)': spelled((w, x) => turned(w, x, [0, 3, 2, 1], [0, 3, 2, 1])),
    'over rows, turned': spelled((w, x) => turned(w, x, [0, 1, 3, 2], [0, 1, 3, 2])),
    'over channels, last': spelled((w, x) => turned(w, x, [0, 2, 3, 1], [0, 3, 1, 2])),
    'by hand': spelled((w, x) => byHand(w, w.of('Exp', x))),
    'by hand, less the maximum': spelled((w, x) => byHand(w, w.of('Exp', w.of('Sub', x, highest(w, x, 1))))),
    'by hand, a product': spelled((w, x) => {
      const powers = w.of('Exp', x);
      return w.of('Mul', w.of('Reciprocal', total(w, powers, 1)), powers);
    }),
  },
  Sigmoid: {
    '1 / (1 + e^-x)': spelled((w, x) => w.of('Div', 1, w.of('Add', w.of('Exp', w.of('Neg', x)), 1))),
    'a reciprocal': spelled((w, x) => w.of('Reciprocal', w.of('Add', 1, w.of('Exp', w.of('Mul', x, -1))))),
    'e^x / (1 + e^x)': spelled((w, x) => {
      const power = w.of('Exp', x);
      return w.of('Div', power, w.of('Add', power, 1));
    }),
    'e^x · 1/(1 + e^x)': spelled((w, x) => {
      const power = w.of('Exp', x);
      return w.of('Mul', power, w.of('Reciprocal', w.of('Add', power, 1)));
    }),
  },
  LogSoftmax: {
    'over channels, turned': spelled((w, x) => turned(w, x, [0, 2, 3, 1], [0, 3, 1, 2], 'LogSoftmax')),
    'the logarithm of a softmax': spelled((w, x) => w.of('Log', w.with('Softmax', { axis: 1 }, x))),
    'z - log Σ e^z': spelled((w, x) => {
      const less = w.of('Sub', x, highest(w, x, 1));
      return w.of('Sub', less, w.of('Log', total(w, w.of('Exp', less), 1)));
    }),
    'z - logsumexp': spelled((w, x) =>
      w.of('Sub', x, w.g.emit('ReduceLogSumExp', [x, w.g.ints([1])], { keepdims: 1 })),
    ),
  },
  L2Normalization: {
    'F.normalize': spelled((w, x) => {
      const { g } = w;
      const held = w.of('Clip', length(w, x), 1e-12);
      return w.of('Div', x, g.emit('Expand', [held, g.emit('Shape', [x])]));
    }),
    'x / max(‖x‖, ε)': spelled((w, x) => w.of('Div', x, w.of('Max', length(w, x), 5))),
    'x / ‖x‖': spelled((w, x) => w.of('Div', x, length(w, x))),
    'x·1/√max(Σx², ε) (TensorFlow)': spelled((w, x) => product(w, x, w.of('Max', squares(w, x), 25))),
    'x / √(Σx² + ε)': spelled((w, x) => w.of('Div', x, w.of('Sqrt', w.of('Add', squares(w, x), 1e-3)))),
  },
};

function tanhGelu(w: Writer, x: Value, cube: Value): Value {
  const inner = w.of('Mul', Math.sqrt(2 / Math.PI), w.of('Add', x, w.of('Mul', 0.044715, cube)));
  return w.of('Mul', 0.5, w.of('Mul', x, w.of('Add', 1, w.of('Tanh', inner))));
}

const highest = (w: Writer, x: Value, axis: number): Value =>
  w.g.emit('ReduceMax', [x, w.g.ints([axis])], { keepdims: 1 });

const total = (w: Writer, x: Value, axis: number): Value =>
  w.g.emit('ReduceSum', [x, w.g.ints([axis])], { keepdims: 1 });

const byHand = (w: Writer, powers: Value): Value => w.of('Div', powers, total(w, powers, 1));

const turned = (
  w: Writer,
  x: Value,
  there: number[],
  back: number[],
  op: 'Softmax' | 'LogSoftmax' = 'Softmax',
): Value =>
  w.with('Transpose', { perm: back }, w.with(op, { axis: -1 }, w.with('Transpose', { perm: there }, x)));

/** log(1 + e^-|x|) */
const soft = (w: Writer, x: Value): Value =>
  w.of('Log', w.of('Add', w.of('Exp', w.of('Neg', w.of('Abs', x))), 1));

const rms = (w: Writer, x: Value, over: (w: Writer, top: Value, square: Value) => Value): Value =>
  over(w, x, w.of('Add', w.mean(w.of('Pow', x, 2), -1), 1e-6));

const length = (w: Writer, x: Value): Value => w.g.emit('ReduceL2', [x, w.g.ints([1])], { keepdims: 1 });

const squares = (w: Writer, x: Value): Value =>
  w.g.emit('ReduceSum', [w.of('Mul', x, x), w.g.ints([1])], { keepdims: 1 });

function folded(w: Writer, x: Value, axis: number): Value {
  const mean = w.mean(x, axis);
  const square = w.of('Add', w.mean(w.of('Pow', w.of('Sub', x, mean), 2), axis), 1e-3);
  const inverse = w.of('Mul', w.of('Reciprocal', w.of('Sqrt', square)), w.weights(4));
  const rest = w.of('Add', w.of('Mul', w.of('Neg', mean), inverse), w.weights(4));
  return w.of('Add', w.of('Mul', x, inverse), rest);
}

/** Expressions that are almost one of these spellings, but are not: by function. */
export const nearMisses: Readonly<Record<string, Readonly<Record<string, Spelling>>>> = {
  Swish: {
    'the gate of another value': spelled((w, x) => w.of('Mul', x, w.of('Sigmoid', w.of('Abs', x)))),
    'a shifted gate': spelled((w, x) => w.of('Mul', x, w.of('Sigmoid', w.of('Add', x, 1)))),
    'a factor before': spelled((w, x) => w.of('Mul', w.of('Mul', x, 2), w.of('Sigmoid', x))),
    'a gate per channel': spelled((w, x) =>
      w.of('Mul', x, w.of('Sigmoid', w.of('Mul', x, w.weights(channels, 1, 1)))),
    ),
  },
  Gelu: {
    'a wrong root': spelled((w, x) =>
      w.of('Mul', w.of('Mul', x, w.of('Add', w.of('Erf', w.of('Div', x, 1.4143)), 1)), 0.5),
    ),
    'no half': spelled((w, x) => w.of('Mul', x, w.of('Add', w.of('Erf', w.of('Div', x, Math.SQRT2)), 1))),
    'a wrong cube': spelled((w, x) => {
      const inner = w.of(
        'Mul',
        Math.sqrt(2 / Math.PI),
        w.of('Add', x, w.of('Mul', 0.0447, w.of('Pow', x, 3))),
      );
      return w.of('Mul', 0.5, w.of('Mul', x, w.of('Add', 1, w.of('Tanh', inner))));
    }),
    'another product': spelled((w, x) => {
      const gate = w.of('Add', w.of('Erf', w.of('Div', x, Math.SQRT2)), 1);
      return w.of('Mul', w.of('Mul', w.of('Abs', x), gate), 0.5);
    }),
  },
  Mish: { 'of -x': spelled((w, x) => w.of('Mul', x, w.of('Tanh', w.of('Softplus', w.of('Neg', x))))) },
  HardSwish: {
    'a fifth': spelled((w, x) => w.of('Div', w.of('Mul', x, w.of('Clip', w.of('Add', x, 3), 0, 6)), 5)),
    'up to 5': spelled((w, x) => w.of('Div', w.of('Mul', x, w.of('Clip', w.of('Add', x, 3), 0, 5)), 5)),
  },
  HardSigmoid: {
    'up to 7': spelled((w, x) => w.of('Div', w.of('Clip', w.of('Add', x, 3), 0, 7), 7)),
    'a plain clip': spelled((w, x) => w.of('Clip', w.of('Mul', x, 0.2), 0, 1)),
  },
  LogSigmoid: {
    '-softplus(x)': spelled((w, x) => w.of('Neg', w.of('Softplus', x))),
    'min(x, 0) + …': spelled((w, x) => w.of('Add', w.of('Min', x, 0), soft(w, x))),
  },
  Softplus: {
    'a threshold that shows': spelled((w, x) => w.of('Where', w.of('Greater', x, 5), x, w.of('Softplus', x))),
    'log(2 + eˣ)': spelled((w, x) => w.of('Log', w.of('Add', 2, w.of('Exp', x)))),
    '…, of another value': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 20), w.of('Abs', x), w.of('Softplus', x)),
    ),
  },
  Softsign: {
    'of another value': spelled((w, x) => w.of('Div', w.of('Neg', x), w.of('Add', w.of('Abs', x), 1))),
    'x / (2 + |x|)': spelled((w, x) => w.of('Div', x, w.of('Add', w.of('Abs', x), 2))),
  },
  Elu: {
    'not continuous': spelled((w, x) => w.of('Where', w.of('Greater', x, 0), x, w.of('Exp', x))),
    'at another place': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 1), x, w.of('Sub', w.of('Exp', x), 1)),
    ),
  },
  Celu: {
    'two rates': spelled((w, x) =>
      w.of(
        'Where',
        w.of('Greater', x, 0),
        x,
        w.of('Mul', 1.3, w.of('Sub', w.of('Exp', w.of('Mul', x, 2)), 1)),
      ),
    ),
  },
  Selu: {
    'another γ': spelled((w, x) =>
      w.of('Mul', 1.06, w.with('Elu', { alpha: { float: Math.fround(1.6732632423543772) } }, x)),
    ),
  },
  LeakyRelu: {
    'max(x, 2·x)': spelled((w, x) => w.of('Max', x, w.of('Mul', x, 2))),
    'at another place': spelled((w, x) => w.of('Where', w.of('Greater', x, 1), x, w.of('Mul', x, 0.1))),
    'of another value': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 0), x, w.of('Mul', w.of('Abs', x), 0.1)),
    ),
  },
  PRelu: {
    'of another value': spelled((w, x) =>
      w.of('Where', w.of('Greater', x, 0), x, w.of('Mul', w.weights(channels, 1, 1), w.of('Abs', x))),
    ),
  },
  Relu: { 'max(x, 1)': spelled((w, x) => w.of('Max', x, 1)) },
  Clip: { 'never between': spelled((w, x) => w.of('Min', w.of('Max', x, 2), 1)) },
  LayerNormalization: {
    'the mean of another axis': spelled((w, x) => {
      const centred = w.of('Sub', x, w.mean(x, 2));
      return w.of('Div', centred, w.of('Sqrt', w.of('Add', w.mean(w.of('Mul', centred, centred), 3), 1e-5)));
    }),
    'the variance of other axes': spelled((w, x) => {
      const centred = w.of('Sub', x, w.mean(x, 3));
      const variance = w.mean(w.of('Mul', centred, centred), 2, 3);
      return w.of('Div', centred, w.of('Sqrt', w.of('Add', variance, 1e-5)));
    }),
    'over the batch': spelled((w, x) => standard(w, x, [0, 1, 2, 3])),
    'not the square': spelled((w, x) => standard(w, x, [3], undefined, (w, v) => w.of('Pow', v, 4))),
  },
  LayerNorm2d: { 'over rows': spelled((w, x) => standard(w, x, [2])) },
  InstanceNormalization: { 'over channels and rows': spelled((w, x) => standard(w, x, [1, 2])) },
  GroupNormalization: {
    'more groups than channels': spelled((w, x) => {
      const { g } = w;
      const grouped = g.emit('Reshape', [x, g.ints([0, 16, -1])]);
      const [ones, zeros] = [g.floats([16], Array(16).fill(1)), g.floats([16], Array(16).fill(0))];
      const normal = g.emit('InstanceNormalization', [grouped, ones, zeros]);
      return g.emit('Reshape', [normal, g.emit('Shape', [x])]);
    }),
    'in another order': spelled((w, x) => {
      const { g } = w;
      const turned = g.emit('Transpose', [x], { perm: [0, 2, 1, 3] });
      const grouped = g.emit('Reshape', [turned, g.ints([0, 2, -1])]);
      const normal = g.emit('InstanceNormalization', [grouped, g.floats([2], [1, 1]), g.floats([2], [0, 0])]);
      return g.emit('Reshape', [normal, g.emit('Shape', [x])]);
    }),
  },
  RMSNormalization: {
    'along channels': spelled((w, x) => product(w, x, w.of('Add', w.mean(w.of('Pow', x, 2), 1), 1e-6))),
    'of another value': spelled((w, x) =>
      product(w, x, w.of('Add', w.mean(w.of('Pow', w.of('Neg', x), 2), 3), 1e-6)),
    ),
  },
  Softmax: {
    'not turned back': spelled((w, x) => turned(w, x, [0, 1, 3, 2], [0, 1, 2, 3])),
    'over another sum': spelled((w, x) =>
      w.of('Div', w.of('Exp', x), total(w, w.of('Exp', w.of('Neg', x)), 1)),
    ),
    'of what is positive otherwise': spelled((w, x) => byHand(w, w.of('Softplus', x))),
    'over two axes': spelled((w, x) => {
      const powers = w.of('Exp', x);
      return w.of('Div', powers, w.g.emit('ReduceSum', [powers, w.g.ints([2, 3])], { keepdims: 1 }));
    }),
  },
  Sigmoid: {
    '1 / (2 + e^-x)': spelled((w, x) => w.of('Div', 1, w.of('Add', w.of('Exp', w.of('Neg', x)), 2))),
    '2 / (1 + e^-x)': spelled((w, x) => w.of('Div', 2, w.of('Add', w.of('Exp', w.of('Neg', x)), 1))),
    '1 / (1 + e^x)': spelled((w, x) => w.of('Reciprocal', w.of('Add', w.of('Exp', x), 1))),
    '1 / (1 + e^-2x)': spelled((w, x) => w.of('Reciprocal', w.of('Add', w.of('Exp', w.of('Mul', x, -2)), 1))),
  },
  LogSoftmax: {
    'turned elsewhere': spelled((w, x) => turned(w, x, [0, 1, 2, 3], [0, 1, 3, 2], 'LogSoftmax')),
    'less another logarithm': spelled((w, x) =>
      w.of('Sub', x, w.of('Log', total(w, w.of('Exp', w.of('Neg', x)), 1))),
    ),
  },
  L2Normalization: {
    'the sum of magnitudes': spelled((w, x) =>
      w.of('Div', x, w.g.emit('ReduceL1', [x, w.g.ints([1])], { keepdims: 1 })),
    ),
    'of another value': spelled((w, x) => w.of('Div', x, length(w, w.of('Sigmoid', x)))),
    'held below': spelled((w, x) => w.of('Div', x, w.g.emit('Clip', [length(w, x), '', w.g.scalar(2)]))),
  },
};
