import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { colourNetwork } from '@whylight/host/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { examined } from './models-push.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-test-'));
  await writeFile(join(folder, 'm.onnx'), colourNetwork());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sent = async () => (await examined(join(folder, 'm.onnx'), {})).about;

it('models push sends the task that the manifest states, and the report here is of that task', async () => {
  await writeFile(join(folder, 'm.json'), JSON.stringify({ task: 'multilabel' }));
  expect(await sent()).toEqual({ name: 'm', task: 'multilabel' });
  const { report } = await examined(join(folder, 'm.onnx'), {});
  expect(report.notes).toContainEqual(expect.stringMatching(/sigmoid/));
});

it('models push sends the task that a file beside the model states', async () => {
  const config = { model_type: 'vit', problem_type: 'multi_label_classification' };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  expect(await sent()).toEqual({ name: 'm', task: 'multilabel' });
});

it('models push sends no task where nothing states one', async () => {
  expect(await sent()).toEqual({ name: 'm' });
});
