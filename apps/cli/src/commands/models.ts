import { sidesOf } from '@whylight/core/image';
import { ModelStore, type RegisteredModel, readZoo, type Zoo } from '@whylight/host';
import { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { readBytes } from '../files.ts';
import { fixedElements, type ManifestOptions, spelledOut, withManifestOptions } from '../manifest-options.ts';
import { openRegistry } from '../model.ts';
import { withJson } from '../options.ts';
import { note, print, printJson, table } from '../output.ts';
import { Progress } from '../progress.ts';
import { examined, push } from './models-push.ts';

const list = withJson(
  new Command('list').description('List the models that are there, and those to pull'),
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
      .description('Register a model: copy it, with what it needs to know of its input')
      .argument('<path>', 'an ONNX file'),
  ),
).action(async (path: string, { json, ...options }: ManifestOptions & { json?: boolean }) => {
  const { name, labels, input, scores, preset } = options;
  const preprocessing = spelledOut(options);
  const fixed_inputs = input && (await fixedElements(input));
  const how = preprocessing ? { manifest: { preprocessing } } : { preset };
  // What is no model is refused here, not by the command that first needs it.
  await examined(path, options);
  report(await new ModelStore().add(path, { name, labels, fixed_inputs, scores, ...how }), json);
});

interface PullOptions {
  readonly index?: string;
  readonly url?: string;
  readonly labels?: string;
  readonly json?: boolean;
}

const pull = withJson(
  new Command('pull')
    .description('Fetch a model of the index; its SHA-256 is pinned')
    .argument('<name>', 'its name in the index')
    .option('--index <file>', 'an index of your own, JSON {base, models: [{name, path, bytes, sha256}]}')
    .option('--url <url>', 'fetch from here instead')
    .option('--labels <file>', 'class names, CSV or JSON'),
).action(async (name: string, { json, index, ...options }: PullOptions) => {
  const progress = new Progress(`pull ${name}`);
  const onProgress = (received: number, total: number) => progress.update(received, total);
  const store = new ModelStore(undefined, index === undefined ? undefined : await readIndex(index));
  const model = await store.pull(name, { ...options, onProgress }).finally(() => progress.stop());
  report(model, json);
});

const remove = withJson(
  new Command('remove').description('Forget a registered model').argument('<name>'),
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

function report(model: RegisteredModel, json: boolean | undefined): void {
  if (json) printJson(described(model));
  else print(`${model.name} is registered: ${model.digest}`);
  if (model.assumed)
    note(
      "Nothing says how its input is made: ImageNet's preprocessing is assumed, at the network's size. Say --preset, or --mean, --std and --size.",
    );
}

const described = (model: RegisteredModel) => ({
  name: model.name,
  about: model.manifest.about ?? null,
  digest: model.digest,
  path: model.path,
  classes: model.labels?.length ?? null,
  preprocessing: model.assumed ? null : model.manifest.preprocessing,
  preprocessing_assumed: model.assumed,
});

const sideOf = ({ assumed, manifest: { preprocessing } }: RegisteredModel): string => {
  if (assumed) return 'preprocessing assumed';
  const sides = sidesOf(preprocessing);
  if (sides === null) return '';
  return sides[0] === sides[1] ? `${sides[0]} px` : `${sides.join('×')} px`;
};
