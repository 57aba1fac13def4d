import {
  InputError,
  isValueScore,
  parseValueScore,
  type ScoreKind,
  type ScoreSpec,
  scoreKinds,
  type ValueScoreText,
} from '@whylight/core';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './failure.ts';

/** What --score takes: a kind of class score, or a number that the network computes, which stands in place of the classes. */
export type Score = ScoreKind | ValueScoreText;
type Asked = Score | null | undefined;

export const expectedScore = `expected one of ${scoreKinds.join(', ')}, or a number such as output:NAME[INDEX].sum`;

export const isScore = (text: unknown): text is Score =>
  typeof text === 'string' && (isValueScore(text) || scoreKinds.some((kind) => kind === text));

export function scoreOption(text: string): Score {
  if (!isScore(text)) throw new InvalidArgumentError(`${expectedScore}.`);
  try {
    scoreSpecOf(text);
    return text;
  } catch (error) {
    throw error instanceof InputError ? new InvalidArgumentError(error.message) : error;
  }
}

/** What is explained in place of a class, if anything is. @throws InputError */
export const scoreSpecOf = (score: Asked): ScoreSpec | undefined =>
  typeof score === 'string' && isValueScore(score) ? parseValueScore(score) : undefined;

/** The kind of class score that is asked for, if one is. */
export const kindOf = (score: Asked): ScoreKind | undefined =>
  typeof score === 'string' && !isValueScore(score) ? score : undefined;

/** The same for a command that explains classes only. @throws UsageError */
export function classScore(score: Asked, command: string): ScoreKind | undefined {
  if (typeof score === 'string' && isValueScore(score))
    throw new UsageError(
      `--score ${score}: ${command} takes scores of classes only; expected one of ${scoreKinds.join(', ')}`,
    );
  return kindOf(score);
}
