import { existsSync, statSync } from 'node:fs';
import {
  type ClassifierOptions,
  type FixedInput,
  InputError,
  inspect,
  type ModelReport,
} from '@whylight/core';
import type { Preprocessing } from '@whylight/core/image';
import type { Normalisation } from '@whylight/core/methods';
import {
  classifierOf,
  embeddedModels,
  isNameCount,
  ModelNotFoundError,
  ModelRegistry,
  ModelStore,
  named,
  normalisationBy,
  preprocessingFor,
  type RegisteredModel,
  readingOf,
} from '@whylight/host';
import { UsageError } from './failure.ts';
import { readTensor } from './files.ts';
import { noModelIn } from './model-folder.ts';
import type { Parameters, ReadingOptions } from './options.ts';

/** The embedded models and those that the user registered. */
export async function openRegistry(): Promise<ModelRegistry> {
  const { directory } = new ModelStore();
  return ModelRegistry.open([...embeddedModels, ...(existsSync(directory) ? [directory] : [])]);
}

/** The model called `wanted`: a registered name or a path. @throws ModelNotFoundError */
export async function findModel(wanted: string, registry?: ModelRegistry): Promise<RegisteredModel> {
  const known = (registry ?? (await openRegistry())).list().find(({ name }) => name === wanted);
  if (known) return known;
  const found = statSync(wanted, { throwIfNoEntry: false });
  if (!found && !/[/\\]|\.onnx$/i.test(wanted)) {
    const names = (await openRegistry()).list().map(({ name }) => name);
    throw new ModelNotFoundError(
      `no model is called ${wanted}, and there is no such file; known: ${names.join(', ') || 'none'}`,
    );
  }
  const [model, another] = (await ModelRegistry.open([wanted])).list();
  if (!model) throw new ModelNotFoundError(noModelIn(wanted));
  if (another)
    throw new ModelNotFoundError(
      `${wanted} holds more than one model (${model.name}, ${another.name}): name the .onnx file`,
    );
  return model;
}

/** The report on a model, read as its manifest says if not told otherwise. @throws InputError that names the model */
export async function inspected(
  model: RegisteredModel,
  reading: ClassifierOptions = readingOf(model),
): Promise<ModelReport> {
  const bytes = await model.bytes();
  return named(model, () => {
    const report = inspect(bytes, reading);
    const names = model.labels?.length ?? report.classes;
    if (isNameCount(names, report.classes)) return report;
    throw new InputError(
      'invalid_model',
      `labels: expected ${report.classes}, one for each class, got ${names}`,
    );
  });
}

/** How to read a model: as its manifest says, and as asked for on top of that. */
export async function readingWith(
  model: RegisteredModel,
  { input, scores }: ReadingOptions,
): Promise<ClassifierOptions> {
  const reading = readingOf(model);
  const inputs = { ...reading.inputs, ...(await fixedInputs(input)) };
  return { ...reading, inputs, output: scores ?? reading.output };
}

/** `--input NAME=VALUE`: a number, or what a file holds. @throws UsageError, InputError */
export async function fixedInputs(given: Parameters = {}): Promise<Record<string, FixedInput>> {
  const inputs = new Map<string, FixedInput>();
  for (const [name, text] of Object.entries(given)) {
    if (!/\.npy$/i.test(text) && Number.isNaN(Number(text)))
      throw new UsageError(`--input ${name}: expected a number or a .npy file, got ${text}`);
    inputs.set(name, /\.npy$/i.test(text) ? await readTensor(text) : Number(text));
  }
  return Object.fromEntries(inputs);
}

/** How the model's input is made from a photo; without a word on that as for ImageNet, at the network's size. */
export async function preprocessingOf(model: RegisteredModel): Promise<Preprocessing> {
  if (!model.assumed) return model.manifest.preprocessing;
  return preprocessingFor(model, await classifierOf(model));
}

/** What the manifest says of mean and deviation; nothing where there is none. */
export const normalisationOf = ({ manifest, assumed }: RegisteredModel): Normalisation | undefined =>
  assumed ? undefined : normalisationBy(manifest.preprocessing);
