import { resolve } from 'node:path';
import type { OwnModel } from '@whylight/client';
import type { Model, PreprocessingReport } from '@whylight/contract';
import { classifierOf, heldModel, type Prepared, prepare, type RegisteredModel } from '@whylight/host';
import { Command } from 'commander';
import { Failure } from '../failure.ts';
import { readable } from '../files.ts';
import { type ManifestOptions, withManifestOptions } from '../manifest-options.ts';
import { findModel, inspected } from '../model.ts';
import { refuseFolder } from '../model-folder.ts';
import { printReport } from '../model-report.ts';
import { withJson } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { askedBy } from '../preprocessing-options.ts';
import { Progress } from '../progress.ts';
import { openClient } from '../remote/credentials.ts';

export const push = withJson(
  withManifestOptions(
    new Command('push')
      .description('Upload a model to the service, after the same check here that the service makes')
      .argument(
        '<path>',
        'path of an ONNX file; weights, class names and preprocessing beside it are sent too',
      ),
  ),
).action(async (path: string, { json, ...options }: ManifestOptions & { json?: boolean }) => {
  const client = await openClient();
  const { bytes, about, prepared, report } = await examined(path, options);
  if (!json)
    printReport(about.name, { ...report, preprocessing: prepared.report, warnings: prepared.warnings });
  const progress = new Progress(`push ${about.name}`);
  const onProgress = (sent: number, total: number) => progress.update(sent, total);
  const pushed = await client.ownModels.push(bytes, about, { onProgress }).finally(() => progress.stop());
  show(pushed, json);
});

/** Reads the model at `path` with its options, and checks it. @throws UsageError. @throws InputError for an invalid model */
export async function examined(path: string, options: ManifestOptions) {
  refuseFolder(path);
  await readable(path);
  const model = await findModel(resolve(path), await askedBy(options));
  const bytes = await model.bytes();
  const prepared = prepare(model, await classifierOf(model));
  const about = aboutOf(model, prepared, options.name ?? model.name);
  const { name, ...manifest } = about;
  // The report that the service will give.
  const held = await heldModel(name, bytes, asManifest(manifest));
  return { bytes, about, prepared, report: await inspected(held) };
}

/** Gives the statements about a model beside its file: the service gets to know no others. */
function aboutOf(model: RegisteredModel, { report }: Prepared, name: string): OwnModel {
  const { cam_tensor, fixed_inputs, scores, preset, task } = model.manifest;
  const { labels, labelsFrom } = model;
  const preprocessing = statedIn(report);
  const onlyPreset = preset !== undefined && model.sources.every(({ from }) => from === 'metadata');
  return {
    name,
    ...(labels && labelsFrom !== 'metadata' && { labels: [...labels] }),
    ...(onlyPreset ? { preprocessing: preset } : Object.keys(preprocessing).length > 0 && { preprocessing }),
    ...(cam_tensor !== undefined && { cam_tensor }),
    ...(fixed_inputs && { fixed_inputs: { ...fixed_inputs } }),
    ...(scores !== undefined && { scores }),
    ...(task !== undefined && { task }),
  };
}

/** Sources of statements that the service finds by itself, in the file or by guessing. */
const ownFindings: ReadonlySet<string> = new Set(['metadata', 'graph', 'file', 'assumed']);

function statedIn({ labels: _, ...parts }: PreprocessingReport) {
  const stated = Object.entries(parts).filter(([, { from }]) => !ownFindings.has(from));
  const values = stated.map(([part, { value }]) => [part, value]);
  return structuredClone(Object.fromEntries(values)) as Exclude<
    OwnModel['preprocessing'],
    string | undefined
  >;
}

/** In manifests a preset has a member of its own. */
const asManifest = ({ preprocessing, ...rest }: Omit<OwnModel, 'name'>) => ({
  ...rest,
  ...(typeof preprocessing === 'string' ? { preset: preprocessing } : preprocessing && { preprocessing }),
});

function show(model: Model, json: boolean | undefined): void {
  const { id, name, status, error, methods, deterministic } = model;
  if (status !== 'ready')
    throw new Failure(`${name} is ${status}${error ? `: ${error.code}: ${error.message}` : ''}`);
  if (json) printJson(model);
  else print(`\n${name} is ready: ${id}, ${methods.length} methods work on it`);
  if (deterministic === false)
    note('It gives other scores each time, so nothing is answered from the cache.');
}
