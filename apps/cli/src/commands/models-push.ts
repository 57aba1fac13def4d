import type { OwnModel } from '@whylight/client';
import type { Model } from '@whylight/contract';
import { heldModel, ModelRegistry, type RegisteredModel, readLabels } from '@whylight/host';
import { Command } from 'commander';
import { Failure } from '../failure.ts';
import { readable } from '../files.ts';
import {
  fixedElements,
  type ManifestOptions,
  presetOf,
  spelledOut,
  withManifestOptions,
} from '../manifest-options.ts';
import { inspected } from '../model.ts';
import { refuseFolder } from '../model-folder.ts';
import { printReport } from '../model-report.ts';
import { withJson } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { Progress } from '../progress.ts';
import { openClient } from '../remote/credentials.ts';

export const push = withJson(
  withManifestOptions(
    new Command('push')
      .description('Bring a model to the service; it is checked here first, as the service will check it')
      .argument('<path>', 'an ONNX file; what stands beside it is sent along'),
  ),
).action(async (path: string, { json, ...options }: ManifestOptions & { json?: boolean }) => {
  const client = await openClient();
  const { bytes, about, report } = await examined(path, options);
  if (!json) printReport(about.name, report);
  const progress = new Progress(`push ${about.name}`);
  const onProgress = (sent: number, total: number) => progress.update(sent, total);
  const pushed = await client.ownModels.push(bytes, about, { onProgress }).finally(() => progress.stop());
  show(pushed, json);
});

/** The model at `path`, what is said about it, and the report on it. @throws UsageError, InputError for one that is none */
export async function examined(path: string, options: ManifestOptions) {
  refuseFolder(path);
  await readable(path);
  const [model] = (await ModelRegistry.open([path])).list();
  const bytes = await model!.bytes();
  const about = await aboutOf(model!, options);
  const { name, ...manifest } = about;
  // The report that the service will give.
  return { bytes, about, report: await inspected(await heldModel(name, bytes, manifest)) };
}

/** What the model's manifest says, and what is asked for on top of that. @throws UsageError, InputError */
async function aboutOf(
  { name, manifest, labels, assumed }: RegisteredModel,
  options: ManifestOptions,
): Promise<OwnModel> {
  const names = options.labels === undefined ? labels : await readLabels(options.labels);
  const preset = options.preset === undefined ? undefined : presetOf(options.preset);
  const preprocessing = spelledOut(options) ?? preset ?? (assumed ? undefined : manifest.preprocessing);
  const fixed_inputs = { ...manifest.fixed_inputs, ...(await fixedElements(options.input ?? {})) };
  const scores = options.scores ?? manifest.scores;
  return {
    name: options.name ?? name,
    ...(names && { labels: [...names] }),
    ...(preprocessing && { preprocessing }),
    ...(manifest.cam_tensor !== undefined && { cam_tensor: manifest.cam_tensor }),
    ...(Object.keys(fixed_inputs).length > 0 && { fixed_inputs }),
    ...(scores !== undefined && { scores }),
  };
}

function show(model: Model, json: boolean | undefined): void {
  const { id, name, status, error, methods, deterministic } = model;
  if (status !== 'ready')
    throw new Failure(`${name} is ${status}${error ? `: ${error.code}: ${error.message}` : ''}`);
  if (json) printJson(model);
  else print(`\n${name} is ready: ${id}, ${methods.length} methods work on it`);
  if (deterministic === false)
    note('It gives other scores each time, so nothing is answered from the cache.');
}
