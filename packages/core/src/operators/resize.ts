import type { Value } from '../onnx/builder.ts';
import { array, matmul, transpose } from '../onnx/emit.ts';
import { ints, text } from '../onnx/graph.ts';
import { interpolationMatrix, isIdentity, samplingOf } from './interpolation.ts';
import { type Operators, operator, other } from './operator.ts';
import { gridSampleShape, resizeShape } from './shape/movement.ts';
import { axisOf } from './shape/rule.ts';
import { type RuleContext, tabled } from './vjp/rule.ts';

// Resize is linear and separable: along each axis y = R·x, so dx = Rᵀ·dy with the same matrix R.

function resizeVjp(c: RuleContext): Value {
  const { g, node, shape, outShape, dy } = c;
  const x = shape(0);
  if (x.every((size, axis) => size === outShape[axis])) return dy; // ONNX Runtime copies, whatever the scales
  const axes = ints(node, 'axes')?.map((a) => axisOf(a, x.length)) ?? [...x.keys()];
  const scales = node.inputs[2] ? g.elements(node.inputs[2]) : undefined;
  const sampling = samplingOf(node);
  return axes.reduce((dx, axis, i) => {
    const [input, output] = [x[axis]!, outShape[axis]!];
    if (input < 0) return dx;
    tabled(c, input * output);
    const matrix = interpolationMatrix(sampling, input, output, scales?.[i] ?? output / input);
    if (isIdentity(matrix, input, output)) return dx;
    const last = [...x.keys()].filter((k) => k !== axis).concat(axis);
    const mapped = matmul(g, transpose(g, dx, last), array(g, [output, input], matrix, dy));
    return transpose(
      g,
      mapped,
      last.map((_, k) => last.indexOf(k)),
    );
  }, dy);
}

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
