import type { Fact } from '../../onnx/fact.ts';
import { int } from '../../onnx/graph.ts';
import { checkPerChannel } from './convolution.ts';
import { axisOf, like, type ShapeContext } from './rule.ts';

export function batchNormalizationShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  for (const i of [1, 2, 3, 4]) checkPerChannel(c, i, shape[1]!);
  return [{ dtype, shape }];
}

/** Adds the mean and 1/σ of the elements normalised together. */
export function layerNormalizationShape(c: ShapeContext): readonly Fact[] {
  const { dtype, shape } = c.x(0);
  const first = axisOf(int(c.node, 'axis', -1), shape.length);
  const statistic: Fact = { dtype: 'float32', shape: shape.map((d, i) => (i < first ? d : 1)) };
  return [{ dtype, shape }, statistic, statistic];
}

/** Gives the input's own shape. @throws ShapeError for an `axis` that the input does not have */
export function alongAxisShape(c: ShapeContext): readonly Fact[] {
  const x = c.x(0);
  axisOf(int(c.node, 'axis', -1), x.shape.length);
  return like(x);
}
