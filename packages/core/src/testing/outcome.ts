import { InputError } from '../errors.ts';
import { compileExplainer } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';

/** The last stage of a file: refused, read as a classifier, or explained by a method that works by its report. */
export type Outcome = 'refused' | 'read' | 'explained';

/** One printable line: all text from a stranger's file must have this form to be shown. */
const shown = /^\P{Cc}{1,2000}$/u;

/**
 * Reads a file; in every 16th `turn` also inspects it and compiles one of the methods. A refusal is an outcome; any
 * other exception is thrown, also for a refusal that cannot be shown.
 */
export function outcomeOf(bytes: Uint8Array, turn: number): Outcome {
  try {
    if (turn % 16 !== 0) {
      readClassifier(bytes);
      return 'read';
    }
    const working = inspect(bytes).methods.filter(({ works }) => works);
    const { id } = working[(turn / 16) % working.length]!;
    compileExplainer(readClassifier(bytes), { method: id });
    return 'explained';
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!shown.test(error.message)) throw new Error(`a refusal that cannot be shown: ${error.message}`);
    return 'refused';
  }
}
