import { embeddedModels, ModelRegistry } from '@whylight/host';
import { UsageError } from '../failure.ts';
import { findModel, inspected } from '../model.ts';

/** A model in the worker's list. */
export interface ServedModel {
  readonly name: string;
  readonly path: string;
}

/**
 * Lists the model of each `--model`, a registered name or a path, or `NAME=` before either; and after them the embedded
 * models, so that the first of those is the default if no model is requested.
 *
 * @throws UsageError, ModelNotFoundError, InputError for a model that the worker could not serve
 */
export async function servedModels(wanted: readonly string[]): Promise<ServedModel[]> {
  const registry = await ModelRegistry.open(embeddedModels);
  const embedded = registry.list().map(({ name, path }): ServedModel => ({ name, path }));
  const served: ServedModel[] = [];
  for (const text of wanted) {
    const model = await servedModel(text);
    const rival = [...served, ...embedded].find(({ name }) => name === model.name);
    if (rival && rival.path !== model.path)
      throw new UsageError(
        `--model ${text}: another model is called ${model.name}; give it a name of its own, NAME=PATH`,
      );
    if (!served.some(({ name }) => name === model.name)) served.push(model);
  }
  return [...served, ...embedded.filter(({ name }) => served.every((model) => model.name !== name))];
}

async function servedModel(text: string): Promise<ServedModel> {
  const [, given, wanted = text] = /^([\w][\w.+@-]*)=(.+)$/s.exec(text) ?? [];
  const model = await findModel(wanted);
  const name = given ?? model.name;
  if (!/^[\w][\w.+@-]*$/.test(name))
    throw new UsageError(
      `--model ${text}: expected a name of letters, digits and . _ - + @, got "${name}"; say NAME=PATH`,
    );
  // The worker is told of its models in a list.
  if (/[,\n]/.test(model.path))
    throw new UsageError(`--model ${text}: expected a path without commas and line breaks`);
  await inspected(model);
  return { name, path: model.path };
}
