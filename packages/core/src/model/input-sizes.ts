import type { Graph } from '../onnx/graph.ts';

export type Sides = readonly [height: number, width: number];

/** The source of the size at which the input is read. */
export type SizeSource = 'file' | 'asked' | 'graph' | 'assumed';

interface SizeToTry {
  readonly sides: Sides;
  readonly source: SizeSource;
}

/** Sides that image networks take, the likeliest first; tried if a file leaves its size open. */
const usual = [224, 256, 384, 299, 240, 260, 288, 300, 320, 336, 380, 448, 456, 512, 518, 528, 600];
const small = [128, 112, 160, 176, 192, 144, 96, 80, 64, 56, 48, 32, 28];

/**
 * Lists sizes for an input whose height or width the file leaves open: first the sizes that fit the positions that a
 * transformer's weights hold for its patches, [1, patches (+ a class token, + another), width], then the usual sizes.
 */
export function sizesToTry(
  graph: Graph,
  [height, width]: readonly [number | string, number | string],
): SizeToTry[] {
  if (typeof height === 'number' && typeof width === 'number')
    return [{ sides: [height, width], source: 'file' }];
  if (typeof height === 'number') return guesses([height, ...oblong(height)].map((side) => [height, side]));
  if (typeof width === 'number') return guesses([width, ...oblong(width)].map((side) => [side, width]));
  const byPositions = sidesByPositions(graph);
  const known = byPositions.map((side): SizeToTry => ({ sides: [side, side], source: 'graph' }));
  const others = [...usual, ...small].filter((side) => !byPositions.includes(side));
  return [...known, ...guesses(others.map((side) => [side, side]))];
}

/** Marks the first size as assumed. If the network takes not the first but a later size, its graph tells that size. */
const guesses = (all: readonly Sides[]): SizeToTry[] =>
  all.map((sides, i) => ({ sides, source: i === 0 ? 'assumed' : 'graph' }));

const oblong = (side: number): number[] =>
  [2, 3, 4, 0.5, 1.5, 5, 6, 8, 10].map((factor) => side * factor).filter(Number.isInteger);

/** Computes sides from the number of patches in a table of positions and the stride of the patches' convolution. */
function sidesByPositions({ nodes, constants }: Graph): number[] {
  const sides: number[] = [];
  for (const { op, inputs, attributes } of nodes) {
    const { strides, kernel_shape: kernel } = attributes;
    const weights = constants.get(inputs[1] ?? '');
    if (op !== 'Conv' || !weights || !Array.isArray(strides)) continue;
    const [stride] = strides as number[];
    const sizes = Array.isArray(kernel) ? (kernel as number[]) : weights.shape.slice(2);
    if (!stride || stride < 4 || sizes[0] !== stride) continue;
    const [depth] = weights.shape;
    for (const { shape } of constants.values()) {
      const [tokens, size] = shape.slice(-2);
      const isTable = shape.length === 2 || (shape.length === 3 && shape[0] === 1);
      if (!isTable || size !== depth || !tokens) continue;
      const grid = [0, 1, 2, 5]
        .map((extra) => Math.sqrt(tokens - extra))
        .find((side) => side > 1 && Number.isInteger(side));
      if (grid !== undefined) sides.push(grid * stride);
    }
    return sides;
  }
  return sides;
}
