import { existsSync } from 'node:fs';
import type { ClassifierOptions } from '@whylight/core';
import type { Normalisation } from '@whylight/core/methods';
import {
  embeddedModels,
  inputShapeOf,
  ModelNotFoundError,
  ModelRegistry,
  ModelStore,
  type RegisteredModel,
} from '@whylight/host';

/** The embedded model and those that the user registered. */
export async function openRegistry(): Promise<ModelRegistry> {
  const { directory } = new ModelStore();
  return ModelRegistry.open([embeddedModels, ...(existsSync(directory) ? [directory] : [])]);
}

/** The model called `wanted`: a registered name or a path. @throws ModelNotFoundError */
export async function findModel(wanted: string, registry?: ModelRegistry): Promise<RegisteredModel> {
  const known = (registry ?? (await openRegistry())).list().find(({ name }) => name === wanted);
  if (known) return known;
  if (!/[/\\]|\.onnx$/i.test(wanted) && !existsSync(wanted)) {
    const names = (await openRegistry()).list().map(({ name }) => name);
    throw new ModelNotFoundError(
      `no model is called ${wanted}, and there is no such file; known: ${names.join(', ') || 'none'}`,
    );
  }
  const [model] = (await ModelRegistry.open([wanted])).list();
  if (!model) throw new ModelNotFoundError(`there is no .onnx file in ${wanted}`);
  return model;
}

/** How to read a model whose file leaves its input size open. */
export const readingOf = ({ manifest, assumed }: RegisteredModel): ClassifierOptions =>
  assumed ? {} : { inputShape: inputShapeOf(manifest.preprocessing) };

/** What the manifest says of mean and deviation; nothing where there is none. */
export const normalisationOf = ({ manifest, assumed }: RegisteredModel): Normalisation | undefined =>
  assumed ? undefined : { mean: manifest.preprocessing.mean, std: manifest.preprocessing.std };
