import { InputError } from '../errors.ts';
import { compileExplainer } from '../explainer.ts';
import { inspect } from '../inspect.ts';
import { readClassifier } from '../model/classifier.ts';

/** How far a file comes: refused, read as a classifier, or explained by a method that its report says works. */
export type Outcome = 'refused' | 'read' | 'explained';

/** One printable line, as anything that is shown of a stranger's file has to be. */
const shown = /^\P{Cc}{1,2000}$/u;

/**
 * Reads a file, and where `turn` has it also inspects it and compiles one of the methods. A refusal is an outcome;
 * any other exception, or a refusal that could not be shown, passes through.
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
