import { expect, it } from 'vitest';
import { compileExplainer } from '../../explainer.ts';
import { readClassifier } from '../../model/classifier.ts';
import { float32, int64 } from '../../tensor.ts';
import { networkOf } from '../../testing/network.ts';

it('a layer of more values than can be hidden one at a time is refused before any is counted', () => {
  const model = networkOf([3, 700, 700], (layer, image, g) => {
    const map = layer('map', 'Conv', [image, g.constant(float32([4, 3, 1, 1], new Array(12).fill(0.5)))]);
    return layer('scores', 'ReduceMean', [map, g.constant(int64([2], [2, 3]))], { keepdims: 0 });
  });
  const spec = { method: 'layer-feature-ablation', layers: ['map'] };
  expect(() => compileExplainer(readClassifier(model), spec)).toThrow(
    /hides each value of the layer by itself: expected at most 1048576, got 1960000 \(4x700x700\)/,
  );
});
