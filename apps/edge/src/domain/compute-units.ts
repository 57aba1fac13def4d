import type { Question } from '@whylight/contract';
import { countRuns, resolveQuestion, runFormula } from '@whylight/core/methods';

/** Counts the units of a computation: one per run of the network on one picture. */
export const computeUnits = (
  question: Pick<Question, 'method' | 'parameters'>,
  inputShape: readonly number[],
): number => countRuns(question, inputShape);

/** Gives the cost of a method: as a formula of its parameters, and for their defaults on a network of this input. */
export function methodCost(
  id: string,
  inputShape: readonly number[],
): { formula: string; default_units: number } {
  const question = resolveQuestion({ method: id });
  return { formula: runFormula(question), default_units: countRuns(question, inputShape) };
}
