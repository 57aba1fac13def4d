import { warningText } from '@whylight/core';
import {
  ModelStore,
  type Prepared,
  type RegisteredModel,
  readZoo,
  statedParts,
  statedSides,
  type Zoo,
} from '@whylight/host';
import { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { readBytes } from '../files.ts';
import { type ManifestOptions, withManifestOptions } from '../manifest-options.ts';
import { openRegistry } from '../model.ts';
import { withJson } from '../options.ts';
import { note, print, printJson, table } from '../output.ts';
import { askedBy } from '../preprocessing-options.ts';
import { Progress } from '../progress.ts';
import { examined, push } from './models-push.ts';

const list = withJson(
  new Command('list').description('List the registered models, and those that models pull can fetch'),
).action(async ({ json }: { json?: boolean }) => {
  const models = (await openRegistry()).list();
  const zoo = await readZoo();
  if (json) return printJson({ models: models.map(described), zoo: zoo.models.map(({ name }) => name) });
  print(
    table(
      models.map((model) => [
        model.name,
        model.digest.slice(0, 19),
        sideOf(model),
        model.manifest.about ?? '',
      ]),
    ),
  );
  print(`\nTo pull: ${zoo.models.map(({ name }) => name).join(', ')}`);
});

const add = withJson(
  withManifestOptions(
    new Command('add')
      .description('Register a model: copy its file, and keep its preprocessing and class names with it')
      .argument('<path>', 'path of an ONNX file'),
  ),
).action(async (path: string, { json, ...options }: ManifestOptions & { json?: boolean }) => {
  const asked = await askedBy(options);
  // A file that is no model is refused here, not by the command that first needs it.
  const { prepared } = await examined(path, options);
  report(await new ModelStore().add(path, { ...asked, name: options.name }), json, prepared);
});

interface PullOptions {
  readonly index?: string;
  readonly url?: string;
  readonly labels?: string;
  readonly json?: boolean;
}

const pull = withJson(
  new Command('pull')
    .description('Download a model that the index lists, and check its SHA-256')
    .argument('<name>', 'name of the model in the index')
    .option('--index <file>', 'take this index instead: JSON {base, models: [{name, path, bytes, sha256}]}')
    .option('--url <url>', 'download from this address instead of the one in the index')
    .option(
      '--labels <file>',
      'class names: a JSON, CSV or text file, or a config.json; imagenet: the names of ImageNet',
    ),
).action(async (name: string, { json, index, ...options }: PullOptions) => {
  const progress = new Progress(`pull ${name}`);
  const onProgress = (received: number, total: number) => progress.update(received, total);
  const store = new ModelStore(undefined, index === undefined ? undefined : await readIndex(index));
  const model = await store.pull(name, { ...options, onProgress }).finally(() => progress.stop());
  report(model, json);
});

const remove = withJson(
  new Command('remove').description('Remove a registered model from this machine').argument('<name>'),
).action(async (name: string, { json }: { json?: boolean }) => {
  await new ModelStore().remove(name);
  if (json) printJson({ name, removed: true });
  else print(`${name} is removed`);
});

export const models = new Command('models')
  .description('List, add, pull and push models')
  .addCommand(list, { isDefault: true })
  .addCommand(add)
  .addCommand(pull)
  .addCommand(push)
  .addCommand(remove);

async function readIndex(path: string): Promise<Zoo> {
  await readBytes(path);
  return readZoo(path).catch(() => {
    throw new UsageError(
      `${path} is no index of models: expected JSON {base, models: [{name, path, bytes, sha256}]}`,
    );
  });
}

function report(model: RegisteredModel, json: boolean | undefined, prepared?: Prepared): void {
  if (json) printJson(described(model));
  else print(`${model.name} is registered: ${model.digest}`);
  if (isAssumed(model))
    note(
      "Nothing says how its input is made: ImageNet's preprocessing is assumed, at the network's size. Say --preset, or --mean, --std and --size.",
    );
  else for (const warning of prepared?.warnings ?? []) note(warningText(warning));
}

/** Whether nothing but perhaps the network states how its input is made. */
const isAssumed = ({ sources, manifest }: RegisteredModel): boolean =>
  sources.length === 0 && manifest.preset === undefined;

const described = (model: RegisteredModel) => ({
  name: model.name,
  about: model.manifest.about ?? null,
  digest: model.digest,
  path: model.path,
  classes: model.labels?.length ?? null,
  preprocessing: isAssumed(model) ? null : statedParts(model),
  preset: model.manifest.preset ?? null,
  preprocessing_assumed: isAssumed(model),
});

const sideOf = (model: RegisteredModel): string => {
  if (isAssumed(model)) return 'preprocessing assumed';
  const sides = statedSides(model);
  if (!sides) return '';
  return sides[0] === sides[1] ? `${sides[0]} px` : `${sides.join('×')} px`;
};
