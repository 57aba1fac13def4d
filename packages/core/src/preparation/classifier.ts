import { InputError } from '../errors.ts';
import { type Classifier, type ClassifierOptions, readClassifier } from '../model/classifier.ts';
import type { DescribedModel } from './described.ts';
import { readingOf } from './reading.ts';

/** Reads a model as a classifier, by default as its manifest says. @throws InputError that names the model */
export async function classifierOf(
  model: DescribedModel,
  reading: ClassifierOptions = readingOf(model),
): Promise<Classifier> {
  const file = await model.file();
  return named(model, () => readClassifier(file, reading));
}

/** Returns the result of `read`; adds the model's name to an InputError. */
export function named<T>({ name }: Pick<DescribedModel, 'name'>, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.code, `model ${name}: ${error.message}`) : error;
  }
}
