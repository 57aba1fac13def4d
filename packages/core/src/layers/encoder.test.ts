import { expect, it } from 'vitest';
import { readClassifier } from '../model/classifier.ts';
import { float32, sizeOf } from '../tensor.ts';
import { type Layer, networkOf } from '../testing/network.ts';
import { foundLayer } from './find.ts';

type Graph = Parameters<Parameters<typeof networkOf>[1]>[2];

/** A convolution 3×3 and a ReLU, which has the name. */
const conv = (
  layer: Layer,
  g: Graph,
  name: string,
  input: string,
  channels: readonly [number, number],
  stride = 1,
) => {
  const shape = [channels[1], channels[0], 3, 3];
  const weights = g.constant(float32(shape, new Float32Array(sizeOf(shape)).fill(0.1)), `${name}_w`);
  const made = layer(`${name}_c`, 'Conv', [input, weights], {
    pads: [1, 1, 1, 1],
    strides: [stride, stride],
  });
  return layer(name, 'Relu', [made]);
};

/** The layer for a region of what `build` makes of a first map `first` [N, 8, 16, 16]. */
function found(build: (layer: Layer, first: string, g: Graph) => string): string {
  const bytes = networkOf([3, 16, 16], (layer, image, g) =>
    build(layer, conv(layer, g, 'first', image, [3, 8]), g),
  );
  const { inline, inputShape } = readClassifier(bytes, { score: { type: 'region', over: 'sum' } });
  return foundLayer(
    inline((g) => g.input('image', 'float32', [-1, ...inputShape])),
    'paper',
  ).name;
}

const enlarge = (layer: Layer, g: Graph, name: string, input: string) =>
  layer(name, 'Resize', [input, '', g.constant(float32([4], [1, 1, 2, 2]), `${name}_s`)], {
    mode: 'nearest',
  });

it('is the bottleneck of a U-Net, although what is joined behind it has more channels', () => {
  const layer = found((layer, first, g) => {
    const second = conv(layer, g, 'second', first, [8, 12], 2);
    const bottleneck = conv(layer, g, 'bottleneck', second, [12, 16], 2);
    const joined = layer('joined', 'Concat', [enlarge(layer, g, 'up', bottleneck), second], { axis: 1 });
    const merged = conv(layer, g, 'merged', joined, [28, 32]);
    return conv(layer, g, 'masks', enlarge(layer, g, 'up2', merged), [32, 4]);
  });
  expect(layer).toBe('bottleneck');
});

it('is the end of a backbone before pooled branches and the head', () => {
  const layer = found((layer, first, g) => {
    const end = conv(layer, g, 'end', first, [8, 16], 2);
    const pooled = layer('pooled', 'AveragePool', [end], { kernel_shape: [4, 4], strides: [4, 4] });
    const small = conv(layer, g, 'small', pooled, [16, 16]);
    const wide = layer('wide', 'Resize', [small, '', g.constant(float32([4], [1, 1, 4, 4]), 's')], {
      mode: 'nearest',
    });
    const joined = layer('joined', 'Concat', [end, wide], { axis: 1 });
    const head = conv(layer, g, 'head', joined, [32, 4]);
    return enlarge(layer, g, 'masks', head);
  });
  expect(layer).toBe('end');
});

it('does not end where channels are scaled', () => {
  const layer = found((layer, first, g) => {
    const scale = layer('scale', 'Sigmoid', [layer('squeezed', 'GlobalAveragePool', [first])]);
    const scaled = layer('scaled', 'Mul', [scale, first]);
    const end = conv(layer, g, 'end', scaled, [8, 16], 2);
    return enlarge(layer, g, 'masks', conv(layer, g, 'head', end, [16, 4]));
  });
  expect(layer).toBe('end');
});
