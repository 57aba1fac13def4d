/** Sources of consumers. Each source is a file of an empty folder in which the tarballs are installed. */

/** Explains a photo with a pool and a thread that nobody closes: the process must end anyway. */
export const explainsPhoto = `
import { readFile, writeFile } from 'node:fs/promises';
import { resolveQuestion } from '@whylight/core/methods';
import { createRenderPool, createThreadedRuntime, ModelRegistry, PhotoExplainer } from '@whylight/host';

const runtime = await createThreadedRuntime({ ep: 'cpu' });
const registry = await ModelRegistry.open('m.onnx');
const explainer = new PhotoExplainer(runtime, registry, { renderPool: createRenderPool(1) });
const { result, artifacts } = await explainer.explain({
  photo: await readFile('photo.jpg'),
  model: registry.list()[0].name,
  question: { ...resolveQuestion({ method: 'grad-cam' }), target: 'predicted' },
});
await writeFile('overlay.png', artifacts.get('overlay.png'));
console.log('class', result.target.class_index);
`;

/** The engine and the client, which need no native package. */
export const usesEngine = `
import { readFileSync } from 'node:fs';
import { WhylightClient } from '@whylight/client';
import { canonicalJson } from '@whylight/contract';
import { compileExplainer, inspect, readClassifier } from '@whylight/core';
import { methods } from '@whylight/core/methods';

const bytes = readFileSync('m.onnx');
const explainer = compileExplainer(readClassifier(bytes), { method: 'grad-cam' });
new WhylightClient({ url: 'http://127.0.0.1:1', apiKey: 'none' });
if (explainer.length <= bytes.length || methods.length < 40) throw new Error('no explainer');
console.log(canonicalJson({ recommended: inspect(bytes).recommended[0] }));
`;

/** Every entry, with types that a consumer writes down. */
export const typed = `
import { readFile } from 'node:fs/promises';
import { type Answer, ProblemError, WhylightClient } from '@whylight/client';
import { canonicalJson } from '@whylight/contract';
import { type Classifier, compileExplainer, createExplainer, readClassifier } from '@whylight/core';
import { type Picture, preprocess } from '@whylight/core/image';
import * as metrics from '@whylight/core/metrics';
import { methods, resolveQuestion } from '@whylight/core/methods';
import type { ExplanationResult } from '@whylight/contract';
import { createRuntime, createThreadedRuntime, ModelRegistry, PhotoExplainer } from '@whylight/host';

export async function explain(path: string): Promise<ExplanationResult> {
  await using runtime = await createThreadedRuntime({ ep: 'cpu' });
  await using explainer = new PhotoExplainer(runtime, await ModelRegistry.open(path));
  const question = { ...resolveQuestion({ method: methods[0]!.id }), target: 'predicted' as const };
  return (await explainer.explain({ photo: await readFile(path), model: 'm', question })).result;
}
export const classifier = (bytes: Uint8Array): Classifier => readClassifier(bytes);
export const size = (model: Classifier): number => compileExplainer(model, { method: 'grad-cam' }).length;
export const own = async (model: Classifier) =>
  createExplainer(model, { method: 'grad-cam' }, await createRuntime({ ep: 'cpu' }));
export const ask = (client: WhylightClient, upload: string): Promise<Answer> =>
  client.explain({ input: { upload }, method: 'grad-cam' });
export const code = (error: unknown): string | null => (error instanceof ProblemError ? error.code : null);
export type Input = ReturnType<typeof preprocess>;
export const used: readonly unknown[] = [canonicalJson({}), metrics, {} as Picture];
`;

/** Starts `serve`, explains a photo by the client, and stops it. */
export const asksService = `
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { successOf, WhylightClient } from '@whylight/client';

const serve = spawn('npx', ['whylight', 'serve', '--port', '0', '--data', 'data', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
});
const ended = new Promise((resolve) => serve.once('exit', resolve));
let text = '';
const access = await new Promise((resolve, reject) => {
  createInterface(serve.stdout).on('line', (line) => {
    text += line;
    try {
      resolve(JSON.parse(text));
    } catch {}
  });
  ended.then(() => reject(new Error('serve has ended: ' + text)));
});
try {
  const client = new WhylightClient({ url: access.url, apiKey: access.api_key });
  const { id } = await client.upload(await readFile('photo.jpg'), 'image/jpeg');
  const { explanation } = await client.explain({ input: { upload: id }, method: 'grad-cam' });
  console.log('predicted', successOf(explanation).predictions[0].label);
} finally {
  process.kill(-serve.pid, 'SIGTERM');
  await ended;
}
`;
