import { ints, text } from '../onnx/graph.ts';
import { interpolationMatrix, isIdentity, samplingOf } from './interpolation.ts';
import { type Operators, operator, other } from './operator.ts';
import { gridSampleShape, resizeShape } from './shape/movement.ts';
import { axisOf } from './shape/rule.ts';
import { given, tabled, type Vjp } from './vjp/rule.ts';

// Resize is linear and separable: along each axis y = R·x, so dx = Rᵀ·dy with the same matrix R.

const resizeVjp: Vjp = (c) => {
  const { node, dy } = c;
  const [x, y] = [c.x(0).shape, c.y.shape];
  if (x.every((size, axis) => size === y[axis])) return dy; // ONNX Runtime copies, whatever the scales
  const axes = ints(node, 'axes')?.map((a) => axisOf(a, x.length)) ?? [...x.keys()];
  const scales = given(c, 2)?.elements;
  const sampling = samplingOf(node);
  return axes.reduce((dx, axis, i) => {
    const [input, output] = [x[axis]!, y[axis]!];
    if (input < 0) return dx;
    tabled(c, input * output);
    const matrix = interpolationMatrix(sampling, input, output, scales?.[i] ?? output / input);
    if (isIdentity(matrix, input, output)) return dx;
    const last = [...x.keys()].filter((k) => k !== axis).concat(axis);
    return dx
      .transpose(last)
      .matmul(dy.array([output, input], matrix))
      .transpose(last.map((_, k) => last.indexOf(k)));
  }, dy);
};

export const resize = {
  Resize: operator({
    since: (node) =>
      text(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel_symmetric' ? 19 : 18,
    linear: 'jointly',
    map: 'keeps',
    rows: null,
    shape: resizeShape,
    vjp: [resizeVjp],
  }),
  Upsample: other(),
  GridSample: other({ shape: gridSampleShape }),
  AffineGrid: other(),
} satisfies Operators;
