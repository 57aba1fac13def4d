import type { Question } from '@whylight/contract';
import { getOwn, resolveQuestion } from '@whylight/core/methods';

/** Parameters that say how often the network is run. */
const repetitions = ['n_steps', 'n_samples', 'num_samples', 'nt_samples', 'n_masks'];

/** Copies of the picture that `aug_smooth` explains. */
const augmentedCopies = 6;

/** Runs per repetition of methods with several: one from each baseline; one with all cells and one for each cell. */
const runsEach: Readonly<
  Record<string, { formula: string; of(parameters: Question['parameters']): number }>
> = {
  xrai: { formula: '2', of: () => 2 },
  sobol: { formula: '(grid_size ** 2 + 1)', of: ({ grid_size }) => Number(grid_size) ** 2 + 1 },
};

/**
 * Counts the units of a computation, one per run of the network on one picture: the product of the parameters that
 * repeat it, or for a sliding window the number of its places, ⌈(size - window)/stride⌉ + 1 along each axis.
 */
export function computeUnits(
  { method, parameters }: Pick<Question, 'method' | 'parameters'>,
  inputShape: readonly number[],
): number {
  const { sliding_window_shapes: window, strides } = parameters;
  if (isSizes(window) && isSizes(strides))
    return inputShape.reduce((units, size, axis) => {
      const places = Math.ceil((size - (window[axis] ?? size)) / (strides[axis] ?? size)) + 1;
      return units * Math.max(1, places);
    }, 1);
  const counts = repetitions
    .map((name) => getOwn(parameters, name))
    .filter((count) => typeof count === 'number');
  const once = getOwn(runsEach, method)?.of(parameters) ?? (parameters.aug_smooth ? augmentedCopies : 1);
  return counts.reduce((product, count) => product * Math.max(1, count), once);
}

/** Gives the cost of a method: as a formula of its parameters, and for their defaults on a network of this input. */
export function methodCost(
  id: string,
  inputShape: readonly number[],
): { formula: string; default_units: number } {
  const { parameters } = resolveQuestion({ method: id });
  const counted = repetitions.filter((name) => typeof getOwn(parameters, name) === 'number');
  const formula = isSizes(parameters.strides)
    ? 'the product over the axes of ceil((size - sliding_window_shapes) / strides) + 1'
    : [...[getOwn(runsEach, id)?.formula ?? []].flat(), ...counted].join(' * ') || '1';
  return { formula, default_units: computeUnits({ method: id, parameters }, inputShape) };
}

const isSizes = (value: unknown): value is number[] => Array.isArray(value);
