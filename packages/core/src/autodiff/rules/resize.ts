import { matmul, transpose } from '../../onnx/emit.ts';
import type { Value } from '../../onnx/builder.ts';
import { type Node, real, text } from '../../onnx/graph.ts';
import type { RuleContext, VjpRules } from '../rule.ts';

// Resize is linear and separable: along each axis y = R·x, so dx = Rᵀ·dy with the same matrix R.

/** Weights [output, input] of one axis; rows sum to one. */
export function resizeMatrix(node: Node, input: number, output: number, scale: number): Float32Array {
  const matrix = new Float32Array(output * input);
  const put = (o: number, i: number, w: number) => {
    const at = o * input + Math.min(Math.max(i, 0), input - 1);
    matrix[at] = matrix[at]! + w;
  };
  const mode = text(node, 'mode', 'nearest');
  for (let o = 0; o < output; o++) {
    const at = coordinate(text(node, 'coordinate_transformation_mode', 'half_pixel'), o, input, output, scale);
    const floor = Math.floor(at);
    if (mode === 'nearest') put(o, nearest(text(node, 'nearest_mode', 'round_prefer_floor'), at), 1);
    else if (mode === 'linear') {
      const inside = Math.min(Math.max(at, 0), input - 1);
      const low = Math.floor(inside);
      put(o, low, 1 - (inside - low));
      put(o, low + 1, inside - low);
    } else cubicWeights(at - floor, real(node, 'cubic_coeff_a', -0.75)).forEach((w, k) => put(o, floor - 1 + k, w));
  }
  return matrix;
}

function coordinate(mode: string, o: number, input: number, output: number, scale: number): number {
  switch (mode) {
    case 'asymmetric':
      return o / scale;
    case 'align_corners':
      return output === 1 ? 0 : (o * (input - 1)) / (output - 1);
    case 'pytorch_half_pixel':
      return output > 1 ? (o + 0.5) / scale - 0.5 : 0;
    default:
      return (o + 0.5) / scale - 0.5;
  }
}

function nearest(mode: string, at: number): number {
  switch (mode) {
    case 'floor':
      return Math.floor(at);
    case 'ceil':
      return Math.ceil(at);
    case 'round_prefer_ceil':
      return Math.floor(at + 0.5);
    default:
      return Math.ceil(at - 0.5);
  }
}

/** Keys' cubic convolution at offsets -1, 0, 1, 2 from the pixel before the point. */
function cubicWeights(t: number, a: number): number[] {
  const near = (d: number) => (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  const far = (d: number) => a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

function resizeVjp({ g, node, shape, outShape, dy }: RuleContext): Value {
  const x = shape(0);
  const given = node.inputs[2] ? g.elements(node.inputs[2]) : undefined;
  let dx = dy;
  x.forEach((size, axis) => {
    if (size === outShape[axis]) return;
    const output = outShape[axis]!;
    const scale = given?.length === x.length ? given[axis]! : output / size;
    const last = [...x.keys()].filter((i) => i !== axis).concat(axis);
    const moved = transpose(g, dx, last);
    const mapped = matmul(g, moved, g.floats([output, size], resizeMatrix(node, size, output, scale)));
    dx = transpose(g, mapped, last.map((_, i) => last.indexOf(i)));
  });
  return dx;
}

export const resize: VjpRules = { Resize: [resizeVjp, null, null, null] };
