import { getOwn } from '../own.ts';
import type { Params } from './method.ts';

/** Parameters that say how often the network is run. */
const repetitions = ['n_steps', 'n_samples', 'num_samples', 'nt_samples', 'n_masks'];

/** Copies of the picture that `aug_smooth` explains. */
const augmentedCopies = 6;

/** Runs per repetition of methods with several: one from each baseline; one with all cells and one for each cell. */
const runsEach: Readonly<Record<string, { formula: string; of(parameters: Params): number }>> = {
  xrai: { formula: '2', of: () => 2 },
  sobol: { formula: '(grid_size ** 2 + 1)', of: ({ grid_size }) => Number(grid_size) ** 2 + 1 },
};

/**
 * Counts how often one explanation runs the network on one picture: the product of the parameters that repeat it, or for a
 * sliding window the number of its places, ⌈(size - window)/stride⌉ + 1 along each axis.
 */
export function countRuns(
  { method, parameters }: { readonly method: string; readonly parameters: Params },
  inputShape: readonly number[],
): number {
  const { sliding_window_shapes: window, strides } = parameters;
  if (isSizes(window) && isSizes(strides))
    return inputShape.reduce((runs, size, axis) => {
      const places = Math.ceil((size - (window[axis] ?? size)) / (strides[axis] ?? size)) + 1;
      return runs * Math.max(1, places);
    }, 1);
  const counts = repetitions
    .map((name) => getOwn(parameters, name))
    .filter((count) => typeof count === 'number');
  const once = getOwn(runsEach, method)?.of(parameters) ?? (parameters.aug_smooth ? augmentedCopies : 1);
  return counts.reduce((product, count) => product * Math.max(1, count), once);
}

/** Writes the number of runs as a formula in the parameters that a method has. */
export function runFormula({
  method,
  parameters,
}: {
  readonly method: string;
  readonly parameters: Params;
}): string {
  if (isSizes(parameters.strides))
    return 'the product over the axes of ceil((size - sliding_window_shapes) / strides) + 1';
  const counted = repetitions.filter((name) => typeof getOwn(parameters, name) === 'number');
  return [...[getOwn(runsEach, method)?.formula ?? []].flat(), ...counted].join(' * ') || '1';
}

const isSizes = (value: unknown): value is number[] => Array.isArray(value);
