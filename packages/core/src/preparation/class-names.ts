import { type ScoreSpec, scoreText } from '../model/score-spec.ts';
import { findLabel, type Label } from './labels.ts';

/** What a network's classes are called, and what the opposite of each is. */
export interface ClassNames {
  /** By class index; null where nobody has named them. */
  readonly classes: readonly Label[] | null;
  /** What a network of one output says when that is low, where it has a name of its own. */
  readonly negative: Label | null;
}

/** Whether so many names suit a network: one for each class, and for one output also two, [negative, positive]. */
export const isNameCount = (names: number, classes: number): boolean =>
  names === classes || (classes === 1 && names === 2);

export function classNames(labels: readonly Label[] | null, classes: number): ClassNames {
  const [negative, positive] = labels ?? [];
  return classes === 1 && negative && positive
    ? { classes: [positive], negative }
    : { classes: labels, negative: null };
}

/** A number that stands in place of the classes is called as it is asked for. */
export const scoreName = (score: ScoreSpec): ClassNames => ({
  classes: [{ en: scoreText(score), zh: null }],
  negative: null,
});

export const nameOf = ({ classes }: ClassNames, index: number): Label =>
  classes?.[index] ?? { en: `class ${index}`, zh: null };

/** What the opposite of a class is called: "not tabby". */
export function oppositeOf(names: ClassNames, index: number): Label {
  if (names.negative) return names.negative;
  const { en, zh } = nameOf(names, index);
  return { en: `not ${en}`, zh: zh && `非${zh}` };
}

/**
 * The class that `text` names, or whose opposite it names: then `negated` is true.
 *
 * @throws InputError `target_out_of_range` when it names none, or more than one
 */
export function findClass(names: ClassNames, text: string): { index: number; negated: boolean } {
  const classes = names.classes ?? [];
  if (classes.length !== 1) return { index: findLabel(classes, text), negated: false };
  return { index: 0, negated: findLabel([classes[0]!, oppositeOf(names, 0)], text) === 1 };
}
