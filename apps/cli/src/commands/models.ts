import { ModelStore, presets, type RegisteredModel, readZoo, type Zoo } from '@whylight/host';
import { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { readBytes } from '../files.ts';
import { fixedInputs, openRegistry } from '../model.ts';
import { channelValues, positive, type ReadingOptions, withJson, withReadingOptions } from '../options.ts';
import { print, printJson, table } from '../output.ts';
import { Progress } from '../progress.ts';

const list = withJson(
  new Command('list').description('List the models that are there, and those to pull'),
).action(async ({ json }: { json?: boolean }) => {
  const models = (await openRegistry()).list();
  const zoo = await readZoo();
  if (json) return printJson({ models: models.map(described), zoo: zoo.models.map(({ name }) => name) });
  print(table(models.map((model) => [model.name, model.digest.slice(0, 19), sideOf(model)])));
  print(`\nTo pull: ${zoo.models.map(({ name }) => name).join(', ')}`);
});

interface AddOptions extends ReadingOptions {
  readonly name?: string;
  readonly labels?: string;
  readonly preset?: string;
  readonly mean?: number[];
  readonly std?: number[];
  readonly size?: number;
  readonly json?: boolean;
}

const add = withJson(
  withReadingOptions(
    new Command('add')
      .description('Register a model: copy it, with what it needs to know of its input')
      .argument('<path>', 'an ONNX file')
      .option('--name <name>', "what to call it (default: the file's name)")
      .option('--labels <file>', 'class names, CSV or JSON')
      .option('--preset <name>', `preprocessing: ${Object.keys(presets).join(', ')} (default: imagenet)`)
      .option('--mean <r,g,b>', 'mean of the input in 0..1', channelValues)
      .option('--std <r,g,b>', 'deviation of the input in 0..1', channelValues)
      .option('--size <pixels>', 'side of the input', positive),
  ),
).action(async (path: string, { name, labels, input, scores, json, ...wishes }: AddOptions) => {
  const inputs = Object.entries(await fixedInputs(input)).map(([tensor, value]) => [
    tensor,
    typeof value === 'object' && 'data' in value ? Array.from(value.data, Number) : value,
  ]);
  const fixed_inputs = input && Object.fromEntries(inputs);
  const given = { name, labels, fixed_inputs, scores, ...preprocessingOf(wishes) };
  const model = await new ModelStore().add(path, given);
  report(model, json);
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

const remove = new Command('remove')
  .description('Forget a registered model')
  .argument('<name>')
  .action(async (name: string) => new ModelStore().remove(name));

export const models = new Command('models')
  .description('List, add and pull models')
  .addCommand(list, { isDefault: true })
  .addCommand(add)
  .addCommand(pull)
  .addCommand(remove);

/** A manifest where numbers are given; else the preset, else what stands beside the model. */
function preprocessingOf({ preset, mean, std, size }: AddOptions): { preset?: string; manifest?: unknown } {
  if (!mean && !std && !size) return preset === undefined ? {} : { preset };
  const known: Record<string, object> = presets;
  const base = known[preset ?? 'imagenet'];
  if (!base)
    throw new UsageError(`preset: expected one of ${Object.keys(presets).join(', ')}, got ${preset}`);
  const sides = size && { center_crop: size, resize_short_side: Math.round((size * 256) / 224) };
  return { manifest: { preprocessing: { ...base, ...(mean && { mean }), ...(std && { std }), ...sides } } };
}

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
}

const described = (model: RegisteredModel) => ({
  name: model.name,
  digest: model.digest,
  path: model.path,
  classes: model.labels?.length ?? null,
  preprocessing: model.manifest.preprocessing,
  preprocessing_assumed: model.assumed,
});

const sideOf = ({ manifest: { preprocessing } }: RegisteredModel): string =>
  preprocessing.center_crop === null ? '' : `${preprocessing.center_crop} px`;
