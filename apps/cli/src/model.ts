import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Classifier, type ClassifierOptions, inspect, type ModelReport } from '@whylight/core';
import type { Preprocessing } from '@whylight/core/image';
import type { Normalisation } from '@whylight/core/methods';
import {
  type Asked,
  classifierOf,
  embeddedModels,
  ModelNotFoundError,
  ModelRegistry,
  ModelStore,
  modelAt,
  named,
  namesFor,
  normalisationBy,
  preparationOf,
  type RegisteredModel,
  readingOf,
  withAsked,
} from '@whylight/host';
import { modelInFolder } from './model-folder.ts';
import { harmless, note } from './output.ts';

/** The embedded models and those that the user registered. */
export async function openRegistry(): Promise<ModelRegistry> {
  const { directory } = new ModelStore();
  return ModelRegistry.open([...embeddedModels, ...(existsSync(directory) ? [directory] : [])]);
}

/**
 * Finds the model called `wanted`, a registered name or a path; `asked` takes precedence over the files beside it.
 *
 * @throws ModelNotFoundError, InputError
 */
export async function findModel(wanted: string, asked: Asked = {}): Promise<RegisteredModel> {
  return withAsked(await modelCalled(wanted), asked);
}

async function modelCalled(wanted: string): Promise<RegisteredModel> {
  const registry = await openRegistry();
  const known = registry.list().find(({ name }) => name === wanted);
  if (known) return known;
  const found = statSync(wanted, { throwIfNoEntry: false });
  if (!found && !/[/\\]|\.onnx$/i.test(wanted)) {
    const names = registry.list().map(({ name }) => name);
    throw new ModelNotFoundError(
      `model ${wanted}: not found; expected ${names.length > 0 ? `one of ${names.join(', ')}, or ` : ''}the path of an ONNX file`,
    );
  }
  if (!found?.isDirectory()) return (await ModelRegistry.open([wanted])).list()[0]!;
  const { path, others } = modelInFolder(wanted);
  if (others.length > 0)
    note(
      `${wanted} holds ${[basename(path), ...others].map(harmless).join(', ')}: Whylight takes ${basename(path)}; to take another, give its path`,
    );
  return modelAt(resolve(path), undefined, resolve(wanted));
}

/** Reports on a model, read as stated about it by default. @throws InputError that names the model */
export async function inspected(
  model: RegisteredModel,
  reading: ClassifierOptions = readingOf(model),
): Promise<ModelReport> {
  const file = await model.file();
  const report = named(model, () => inspect(file, reading));
  namesFor(model, report.classes);
  return report;
}

/** Finds the preprocessing of a photo for the model. @throws InputError */
export async function preprocessingOf(model: RegisteredModel): Promise<Preprocessing> {
  return preparationOf(model, await classifierOf(model)).preprocessing;
}

/** Mean and deviation of a network's input, for methods that start from black; undefined if they are a guess. */
export function normalisationOf(model: RegisteredModel, classifier: Classifier): Normalisation | undefined {
  const { preprocessing, from } = preparationOf(model, classifier);
  return from.mean === 'assumed' || from.std === 'assumed' ? undefined : normalisationBy(preprocessing);
}
