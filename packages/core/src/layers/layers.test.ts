import { describe, expect, it } from 'vitest';
import type { Convention } from '../methods/method.ts';
import { type Network, readClassifier } from '../model/classifier.ts';
import { float32, int64 } from '../tensor.ts';
import { networkOf, tinyNetwork } from '../testing/network.ts';
import { chooseLayers, layerNames } from './choose.ts';
import { layersOf } from './layers.ts';

const networkIn = (bytes: Uint8Array) => {
  const classifier = readClassifier(bytes);
  return classifier.inline((g) => g.input('image', 'float32', [-1, ...classifier.inputShape]));
};

const chosen = (network: Network, asked: readonly string[], convention: Convention = 'paper') =>
  chooseLayers(network, asked, convention).map(({ name }) => name);

describe('layers', () => {
  it('are the feature maps between image and scores; tokens and pooled features are none', () => {
    const network = networkIn(
      networkOf([3, 4, 4], (layer, image, g) => {
        const conv = layer(
          'patches',
          'Conv',
          [image, g.constant(float32([8, 3, 2, 2], new Float32Array(96)), 'w')],
          {
            strides: [2, 2],
          },
        );
        layer('aside', 'Relu', [conv]);
        const tokens = layer('tokens', 'Reshape', [conv, g.constant(int64([3], [-1, 8, 4]), 'shape')]);
        return layer('scores', 'ReduceMean', [tokens, g.constant(int64([1], [2]), 'axis')], { keepdims: 0 });
      }),
    );
    expect(layersOf(network)).toEqual([
      { name: 'patches', shape: [8, 2, 2], form: { axes: 'CHW', prefix: 0 } },
    ]);
  });

  it('go on where channels that came last are brought to the front again', () => {
    const network = networkIn(
      networkOf([3, 4, 4], (layer, image, g) => {
        const w = g.constant(float32([5, 3, 2, 2], new Float32Array(60)), 'w');
        const turned = (name: string, x: string, ...perm: number[]) =>
          layer(name, 'Transpose', [x], { perm });
        const last = turned('last', layer('patches', 'Conv', [image, w], { strides: [2, 2] }), 0, 2, 3, 1);
        const scale = g.constant(float32([5], new Float32Array(5).fill(1)), 'scale');
        const norm = layer('norm', 'LayerNormalization', [last, scale], { axis: -1 });
        layer('relu', 'Relu', [turned('front', norm, 0, 3, 1, 2)]);
        return layer('scores', 'GlobalAveragePool', ['relu']);
      }),
    );
    const maps = layersOf(network).map(({ name, shape, form }) => [name, shape.join(), form.axes]);
    expect(maps).toEqual([
      ['patches', '5,2,2', 'CHW'],
      ['norm', '5,2,2', 'HWC'],
      ['front', '5,2,2', 'CHW'],
      ['relu', '5,2,2', 'CHW'],
    ]);
  });

  it('go on through quantization, as the real numbers that come out of it', () => {
    const network = networkIn(
      networkOf([3, 4, 4], (layer, image, g) => {
        const steps = [
          g.scalar(0.1),
          g.constant({ dtype: 'int8', shape: [], data: Int8Array.of(0) }, 'zero'),
        ];
        const through = (name: string, x: string) =>
          layer(name, 'DequantizeLinear', [layer(`${name}:q`, 'QuantizeLinear', [x, ...steps]), ...steps]);
        const weights = g.constant({ dtype: 'int8', shape: [2, 3, 1, 1], data: new Int8Array(6) }, 'w');
        g.declare('convolved', 'int8', [-1, 2, 4, 4]);
        layer('convolved', 'QLinearConv', [
          through('i', image) && 'i:q',
          ...steps,
          weights,
          ...steps,
          ...steps,
        ]);
        const relu = layer('relu', 'Relu', [layer('c', 'DequantizeLinear', ['convolved', ...steps])]);
        return layer('pool', 'GlobalAveragePool', [through('r', relu)]);
      }),
    );
    expect(layersOf(network).map(({ name }) => name)).toEqual(['c', 'relu', 'r']);
  });

  it('have a name of their own, and those of what reading has found to be the same', () => {
    const bytes = networkOf([3, 4, 4], (layer, image, g) => {
      const w = g.constant(float32([2, 3, 1, 1], new Float32Array(6)), 'w');
      g.declare('dropped', 'float32', [-1, 2, 4, 4]);
      const first = layer('dropped', 'Dropout', [layer('c1', 'Conv', [image, w])]);
      const same = layer('same', 'Identity', [layer('relu', 'Relu', [first])]);
      return layer('scores', 'GlobalAveragePool', [same]);
    });
    const names = layerNames(readClassifier(bytes));
    expect(names).toEqual([
      ['relu', 'same'],
      ['c1', 'dropped'],
    ]);
    for (const [own, ...others] of names)
      expect(chosen(networkIn(bytes), others)).toEqual(others.map(() => own));
  });

  it('are chosen by name, by number from the end, or the last by itself', () => {
    const network = networkIn(tinyNetwork());
    expect(chosen(network, [])).toEqual(['r2']);
    expect(chosen(network, ['c1', '-1', '-3'])).toEqual(['c1', 'r2', 'r1']);
  });

  it.each(['pool', 'nowhere', '-5', '0', ''])(
    '"%s" is no layer, and those that are near are named',
    (name) => {
      expect(() => chooseLayers(networkIn(tinyNetwork()), [name], 'paper')).toThrow(
        `layer "${name}": the model has no feature map of that name; its last ones include "r1", "c2", "r2"`,
      );
    },
  );

  it('a model without a feature map is told so', () => {
    const network = networkIn(networkOf([2, 2, 2], (layer, image) => layer('scores', 'Flatten', [image])));
    expect(() => chooseLayers(network, [], 'paper')).toThrow(
      'use a method that needs no layer, such as integrated-gradients',
    );
  });
});
