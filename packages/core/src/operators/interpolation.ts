import { InputError } from '../errors.ts';
import { int, type Node, real, text } from '../onnx/graph.ts';
import { quoted } from '../onnx/names.ts';

/** The sampling of a Resize node, with every default spelled out. */
export interface Sampling {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

const coordinateModes = [
  'half_pixel',
  'half_pixel_symmetric',
  'asymmetric',
  'align_corners',
  'pytorch_half_pixel',
];

/** @throws InputError for a coordinate mode that crops */
export function samplingOf(node: Node): Sampling {
  const coordinates = text(node, 'coordinate_transformation_mode', 'half_pixel');
  if (!coordinateModes.includes(coordinates))
    throw new InputError(
      'model_unsupported_op',
      `node ${quoted(node.name)} (Resize with ${quoted(coordinates)}): no derivative rule`,
    );
  return {
    mode: text(node, 'mode', 'nearest') as Sampling['mode'],
    coordinates,
    nearest: text(node, 'nearest_mode', 'round_prefer_floor'),
    cubicA: real(node, 'cubic_coeff_a', -0.75),
    excludeOutside: int(node, 'exclude_outside', 0) === 1,
    antialias: int(node, 'antialias', 0) === 1,
  };
}

/**
 * Makes the weights [output, input] of one axis, so that resized = matrix · original; rows sum to one. `scale` is the
 * node's scale, which can differ from output / input.
 *
 * @see ONNX, operator Resize
 */
export function interpolationMatrix(s: Sampling, input: number, output: number, scale: number): Float32Array {
  const matrix = new Float32Array(output * input);
  for (let o = 0; o < output; o++) {
    const at = coordinate(s.coordinates, o, input, output, scale);
    let taps = tapsAt(s, at, Math.min(scale, 1));
    if (s.excludeOutside && s.mode === 'cubic') taps = taps.filter(([i]) => i >= 0 && i < input);
    const total = taps.reduce((sum, [, w]) => sum + w, 0);
    for (const [i, w] of taps) {
      const position = o * input + Math.min(Math.max(i, 0), input - 1);
      matrix[position] = matrix[position]! + w / total;
    }
  }
  return matrix;
}

export const isIdentity = (matrix: Float32Array, input: number, output: number): boolean =>
  input === output && matrix.every((w, k) => w === Number(k % (input + 1) === 0));

/** Computes the position of output `o` on the input. */
function coordinate(mode: string, o: number, input: number, output: number, scale: number): number {
  const halfPixel = (o + 0.5) / scale - 0.5;
  switch (mode) {
    case 'asymmetric':
      return o / scale;
    case 'align_corners':
      return output === 1 ? 0 : (o * (input - 1)) / (output - 1);
    case 'pytorch_half_pixel':
      return output > 1 ? halfPixel : 0;
    case 'half_pixel_symmetric':
      return halfPixel + (input / 2) * (1 - output / (scale * input));
    default:
      return halfPixel;
  }
}

type Tap = readonly [position: number, weight: number];

/** Lists the elements sampled around a point; antialiasing widens the filter for downsampling. */
function tapsAt(s: Sampling, at: number, shrink: number): Tap[] {
  if (s.mode === 'nearest') return [[nearest(s.nearest, at), 1]];
  const reach = s.mode === 'linear' ? 1 : 2;
  const filter = s.mode === 'linear' ? triangle : cubic(s.cubicA);
  const factor = s.antialias ? shrink : 1;
  const first = Math.floor(at - reach / factor + 1);
  const last = Math.ceil(at + reach / factor - 1);
  return Array.from(
    { length: Math.max(last - first, 0) + 1 },
    (_, k): Tap => [first + k, filter((first + k - at) * factor)],
  );
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

const triangle = (t: number): number => Math.max(0, 1 - Math.abs(t));

/** Keys' cubic convolution with coefficient `a`. */
const cubic =
  (a: number) =>
  (t: number): number => {
    const d = Math.abs(t);
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
