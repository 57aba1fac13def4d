import { describe, expect, it } from 'vitest';
import { createExplainer, prepare } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Attributes } from '../onnx/graph.ts';
import type { OperatorName } from '../onnx/operator-names.ts';
import { trace } from '../programs/trace.ts';
import { float32, sizeOf } from '../tensor.ts';
import { expectClose } from '../testing/close.ts';
import { explain } from '../testing/explain.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';

let seed = 0;
const wave = (...shape: number[]) => {
  seed += 7;
  return float32(
    shape,
    Array.from(
      { length: sizeOf(shape) },
      (_, i) => (2 * Math.sin(1.3 * i + seed)) / Math.sqrt(sizeOf(shape.slice(1)) || 1),
    ),
  );
};

type Parts = (op: OperatorName, inputs: Value[], weights?: number[][], attributes?: Attributes) => Value;

/** A network whose nodes take weights of given shapes after their inputs, averaged and scored at the end. */
type Body = (part: Parts, image: Value, layer: Layer, g: GraphBuilder) => Value;
const network = (shape: readonly number[], body: Body) =>
  networkOf(shape, (layer, image, g) => {
    let serial = 0;
    const part: Parts = (op, inputs, weights = [], attributes = {}) => {
      const constants = weights.map((w, i) => {
        const { data } = wave(...w);
        const positive = op === 'BatchNormalization' && i === 3; // the variance
        return g.constant(float32(w, positive ? data.map((v) => v * v + 0.1) : data), `w${serial++}`);
      });
      return layer(`n${serial++}`, op, [...inputs, ...constants], attributes);
    };
    const last = body(part, image, layer, g);
    const pooled = part('Flatten', [part('GlobalAveragePool', [last])], [], { axis: 1 });
    return part('Gemm', [pooled], [[g.shape(last)[1]!, 4], [4]]);
  });

const p1 = { pads: [1, 1, 1, 1] };
const networks: Record<string, Uint8Array> = {
  'a residual network': network([3, 40, 40], (part, image) => {
    const stem = part('Relu', [
      part('Conv', [image], [[4, 3, 7, 7], [4]], { pads: [3, 3, 3, 3], strides: [2, 2] }),
    ]);
    const pool = part('MaxPool', [stem], [], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
    const a = part(
      'Conv',
      [part('Relu', [part('Conv', [pool], [[4, 4, 3, 3], [4]], p1)])],
      [[4, 4, 3, 3]],
      p1,
    );
    const sum = part('Relu', [part('Add', [a, pool])]);
    const b = part('Relu', [part('Conv', [sum], [[6, 4, 3, 3], [6]], { ...p1, strides: [2, 2] })]);
    const short = part('Conv', [sum], [[6, 4, 1, 1]], { strides: [2, 2] });
    return part('Relu', [part('Add', [part('Conv', [b], [[6, 6, 3, 3]], p1), short])]);
  }),
  'fire modules without padding': network([3, 41, 37], (part, image) => {
    const stem = part('Relu', [part('Conv', [image], [[4, 3, 3, 3], [4]], { strides: [2, 2] })]);
    const pool = part('MaxPool', [stem], [], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 });
    const squeeze = part('Relu', [part('Conv', [pool], [[2, 4, 1, 1], [2]])]);
    const wide = part('Relu', [part('Conv', [squeeze], [[3, 2, 3, 3], [3]], p1)]);
    return part('Concat', [part('Relu', [part('Conv', [squeeze], [[3, 2, 1, 1], [3]])]), wide], [], {
      axis: 1,
    });
  }),
  'inverted residuals, groups, dilation, batch normalisation': network([3, 32, 32], (part, image) => {
    const stem = part('HardSwish', [
      part('Conv', [image], [[4, 3, 3, 3], [4]], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
    ]);
    const deep = part('Sigmoid', [part('Conv', [stem], [[4, 1, 3, 3], [4]], { ...p1, group: 4 })]);
    const normal = part(
      'BatchNormalization',
      [part('Conv', [deep], [[4, 2, 3, 3]], { group: 2, dilations: [2, 2], pads: [2, 2, 2, 2] })],
      [[4], [4], [4], [4]],
    );
    return part('Add', [part('Mul', [normal], [[4, 1, 1]]), stem]);
  }),
  'a maximum of negative numbers beside padding': network([2, 24, 24], (part, image) => {
    const conv = part('Sub', [part('Conv', [image], [[3, 2, 3, 3]], p1)], [[1, 3, 1, 1]]);
    const low = part('Neg', [part('Exp', [conv])]);
    const max = part('MaxPool', [low], [], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] });
    return part('AveragePool', [max], [], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      pads: [0, 0, 1, 1],
      count_include_pad: 1,
    });
  }),
  'an oblong image, asymmetric padding, strides that differ': network([1, 30, 52], (part, image) => {
    const a = part('LeakyRelu', [
      part('Conv', [image], [[3, 1, 2, 5], [3]], { pads: [0, 3, 1, 0], strides: [1, 3] }),
    ]);
    return part('Tanh', [part('Conv', [a], [[3, 3, 3, 1], [3]], { pads: [2, 0, 0, 0], strides: [2, 1] })]);
  }),
  'squeeze and excitation': network([3, 32, 32], (part, image) => {
    const stem = part('Relu', [part('Conv', [image], [[4, 3, 3, 3], [4]], p1)]);
    const more = part('Relu', [part('Conv', [stem], [[4, 4, 3, 3], [4]], p1)]);
    const gate = part('Sigmoid', [part('Conv', [part('GlobalAveragePool', [more])], [[4, 4, 1, 1]])]);
    return part('Conv', [part('Mul', [more, gate])], [[4, 4, 3, 3]], p1);
  }),
};

/** Two convolutions, an operator that is not the same at every place, and one more. */
const odd = (size: number, make: (part: Parts, map: Value) => Value) =>
  network([2, size, size], (part, image) => {
    const stem = part('Relu', [part('Conv', [image], [[4, 2, 3, 3], [4]], p1)]);
    const more = part('Relu', [part('Conv', [stem], [[4, 4, 3, 3], [4]], p1)]);
    return part('Conv', [make(part, more)], [[4, 4, 3, 3]], p1);
  });
Object.assign(networks, {
  'an average that leaves padding out': odd(24, (part, map) =>
    part('AveragePool', [map], [], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }),
  ),
  'an average whose last window reaches out': odd(25, (part, map) =>
    part('AveragePool', [map], [], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      ceil_mode: 1,
      count_include_pad: 1,
    }),
  ),
  'a learned number for each place': odd(24, (part, map) => part('Add', [map], [[1, 4, 24, 24]])),
  'maps below each other': odd(24, (part, map) => part('Concat', [map, part('Neg', [map])], [], { axis: 2 })),
});

const windows = [
  { sliding_window_shapes: '3,5,5', strides: '3,3,3' },
  { sliding_window_shapes: '3,7,9', strides: '3,6,4', baseline: 0.3 },
  { sliding_window_shapes: '3,2,2', strides: '3,2,2', baseline: 'blur' },
];

describe.each(Object.entries(networks))('Occlusion of %s', (_, bytes) => {
  const classifier = readClassifier(bytes);
  const [c, h, w] = classifier.inputShape as [number, number, number];
  const image = float32(
    [1, c, h, w],
    Array.from({ length: c * h * w }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * i * 0.01)),
  );
  it('starts inside the network', () => {
    const parameters = { sliding_window_shapes: [c, 3, 3], strides: [c, 3, 3], baseline: 0 };
    const { request } = prepare(classifier, { method: 'occlusion', parameters });
    const [loop] = trace(request).block.loops;
    const { setting } = request;
    const [plain] = trace({ ...request, setting: { ...setting, incremental: false } }).block.loops;
    // Whole images come from the baseline and the image alone, patches from the maps of the clean image too.
    const captured = (one: typeof loop) => [...one!.body.g.captures.keys()];
    expect(captured(loop).length).toBeGreaterThan(captured(plain).length);
  });

  it.each(windows)(
    'computed of patches is what it is of whole images, with $sliding_window_shapes',
    async ({ sliding_window_shapes, ...rest }) => {
      const shape = sliding_window_shapes.replace(/^3/, String(c));
      const strides = rest.strides.replace(/^3/, String(c));
      const spec = {
        method: 'occlusion',
        parameters: { ...rest, sliding_window_shapes: shape, strides },
      };
      const explainer = await createExplainer(classifier, { ...spec, memory: 2e5 }, cpu);
      const { attribution } = await explainer.attribute(image, [1]);
      await explainer.close();
      const plain = await createExplainer(classifier, { ...spec, incremental: false }, cpu);
      const { attribution: expected } = await plain.attribute(image, [1]);
      await plain.close();
      const largest = Math.max(...expected.data.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-4);
      const apart = attribution.data.map((v, i) => Math.abs(v - expected.data[i]!) / largest);
      expect(Math.max(...apart)).toBeLessThan(1e-4);
    },
  );
});

// What is computed for one image has its number of rows, 1, written into shapes that are made of it.
const byNumber = network([2, 24, 24], (part, image, layer, g) => {
  const stem = part('Relu', [part('Conv', [image], [[4, 2, 3, 3], [4]], p1)]);
  const more = part('Relu', [part('Conv', [stem], [[4, 4, 3, 3], [4]], p1)]);
  const count = layer('count', 'Shape', [image], { start: 0, end: 1 });
  const to = layer('to', 'Concat', [count, g.ints([4, -1])], { axis: 0 });
  const flat = layer('flat', 'Reshape', [more, to]);
  const tokens = layer('tokens', 'Transpose', [flat], { perm: [0, 2, 1] });
  const places = layer('places', 'Reshape', [tokens, g.ints([-1, 24, 24, 4])]);
  return part('Conv', [layer('map', 'Transpose', [places], { perm: [0, 3, 1, 2] })], [[4, 4, 3, 3]], p1);
});

it('a reshape by the number of images is done for as many rows as there are samples', async () => {
  const spec = {
    method: 'occlusion',
    parameters: { sliding_window_shapes: [2, 5, 5], strides: [2, 3, 3] },
  };
  const image = wave(1, 2, 24, 24);
  const { attribution } = await explain(byNumber, spec, image, [1]);
  const { attribution: expected } = await explain(byNumber, { ...spec, incremental: false }, image, [1]);
  expectClose(attribution, expected);
});
