import { InputError } from '../errors.ts';

// What is explained where it is no class: a number that is computed of what the network gives for each image.

export const reductions = ['sum', 'mean', 'max', 'norm'] as const;
export type Reduction = (typeof reductions)[number];

/** A reduction of a part of an output, or of a value inside the network, to one number for each image. */
export interface ValueScore {
  readonly type: 'output' | 'tensor';
  readonly name: string;
  /** NumPy's basic slicing, without the axis of the batch: `2,10:20,:`; empty: all of it. */
  readonly index: string;
  readonly reduce: Reduction;
}

/**
 * The score of each class of a segmenter over a region of its output: the sum of the class's values there, or their mean.
 * Which region is said for each image.
 */
export interface RegionScore {
  readonly type: 'region';
  readonly over: 'sum' | 'mean';
}

/** What of a model is explained in place of a class that it scores. */
export type ScoreSpec = ValueScore | RegionScore;

const spelling = /^(output|tensor):(.+?)(?:\[([^[\]]*)\])?(?:\.(sum|mean|max|norm))?$/s;

/** A score as the command line spells it: `output:NAME[INDEX].sum`. */
export type ValueScoreText = `${ValueScore['type']}:${string}`;

/** Whether text asks for a value and not for a kind of class score. */
export const isValueScore = (text: string): text is ValueScoreText => /^(output|tensor):/.test(text);

/**
 * Reads `output:NAME[INDEX].sum`: the index and the reduction may be left out.
 *
 * @throws InputError invalid_parameter for text of another form
 */
export function parseValueScore(text: string): ValueScore {
  const [, type, name, index = '', reduce = 'sum'] = spelling.exec(text) ?? [];
  if (type === undefined || name === undefined)
    throw new InputError(
      'invalid_parameter',
      `score ${JSON.stringify(text.slice(0, 80))}: expected output:NAME[INDEX].REDUCTION or tensor:NAME[INDEX].REDUCTION, such as output:masks[2].sum; the reductions are ${reductions.join(', ')}`,
      ['score'],
    );
  return { type: type as ValueScore['type'], name, index: index.trim(), reduce: reduce as Reduction };
}

export const valueScoreText = ({ type, name, index, reduce }: ValueScore): ValueScoreText =>
  `${type}:${name}${index === '' ? '' : `[${index}]`}.${reduce}`;

/** The same of any score; of a region what is taken over it. */
export const scoreText = (score: ScoreSpec): string =>
  score.type === 'region' ? `region.${score.over}` : valueScoreText(score);
