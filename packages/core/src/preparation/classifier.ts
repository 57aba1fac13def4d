import { InputError } from '../errors.ts';
import { type Classifier, type ClassifierOptions, readClassifier } from '../model/classifier.ts';
import type { DescribedModel } from './described.ts';
import { readingOf } from './reading.ts';

/** A model as a classifier, read as its manifest says if not told otherwise. @throws InputError that names the model */
export async function classifierOf(
  model: DescribedModel,
  reading: ClassifierOptions = readingOf(model),
): Promise<Classifier> {
  const file = await model.file();
  return named(model, () => readClassifier(file, reading));
}

/** What `read` finds in a model; a refusal says which model it is of. */
export function named<T>({ name }: Pick<DescribedModel, 'name'>, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.code, `model ${name}: ${error.message}`) : error;
  }
}
