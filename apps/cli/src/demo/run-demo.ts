import { join } from 'node:path';
import { type Answer, WhylightClient } from '@whylight/client';
import { type ArtifactName, artifactNames, type ExplanationRequest, warningText } from '@whylight/contract';
import { predictionText } from '@whylight/host';
import { Failure } from '../failure.ts';
import { writeBytes } from '../files.ts';
import type { Access } from '../serve/service.ts';
import { demoPhoto } from './photo.ts';

export interface DemoOptions {
  readonly output: string;
  /** When the command began, by `performance.now()`. */
  readonly begun: number;
  /** Whether the service keeps running afterwards. */
  readonly stays: boolean;
  /** Prints a line about each step. */
  readonly tell: (line: string) => void;
}

const shown = ['grad-cam', 'integrated-gradients'];

/** Runs the service's main job and reports each step. @returns its results */
export async function runDemo(
  access: Access,
  { output, begun, stays, tell }: DemoOptions,
): Promise<{ photo: string; explanations: object[] }> {
  const client = new WhylightClient({ url: access.url, apiKey: access.apiKey });
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  tell(`[${seconds()}] ready at ${access.url}`);

  const photo = await demoPhoto();
  const path = join(output, 'photo.jpg');
  await writeBytes(path, photo.jpeg);
  const [upload, uploaded] = await timed(() => client.upload(photo.jpeg, 'image/jpeg'));
  const how = upload.upload ? 'PUT to a signed URL' : 'known already, nothing sent';
  tell(`[${seconds()}] uploaded ${photo.shows} (${path}): ${how}, ${uploaded}`);

  const explanations: object[] = [];
  for (const method of shown) {
    const request: ExplanationRequest = { input: { upload: upload.id }, method };
    const [answer, took] = await timed(() => client.explain(request));
    const { predictions, metrics, model, warnings } = successOf(answer);
    const [best] = predictions;
    const device =
      metrics && !isHit(answer)
        ? `, ${Math.round(metrics.compute_ms)} ms of it on the ${metrics.device}`
        : '';
    const found = best ? predictionText(best, 'en') : 'nothing';
    tell(`[${seconds()}] ${method}: ${model.name} sees ${found}, ${cacheOf(answer)} in ${took}${device}`);
    for (const warning of warnings) tell(`           ${warningText(warning)}`);
    const out = join(output, method);
    await fetchAll(client, answer.explanation.id, out);
    tell(`           ${out}: ${artifactNames.join(', ')}`);
    explanations.push({ ...answer.explanation, out });
  }

  const again: ExplanationRequest = { input: { upload: upload.id }, method: shown[0]! };
  const [repeat, took] = await timed(() => client.explain(again));
  successOf(repeat);
  tell(`[${seconds()}] ${shown[0]} again: ${cacheOf(repeat)} in ${took}, no work for the worker`);
  tell(`\n${ownPhoto}`);
  if (stays) tell(tryIt(access, upload.id));
  return { photo: path, explanations };
}

const ownPhoto = `Now a photo of yours:
  whylight explain photo.jpg -o out                          in a clone: ./run whylight explain ...
and a classifier of yours:
  whylight explain photo.jpg --model classifier.onnx -o out`;

/** The page, with the key in the fragment: a browser sends that to nobody, and the page takes it on this machine only. */
export const pageOf = ({ url, apiKey }: Access): string => `${url}/#key=${apiKey}`;

const tryIt = (access: Access, upload: string): string =>
  [
    '\nOr ask this service:',
    `  curl ${access.url}/v1/explanations -H 'Authorization: Bearer ${access.apiKey}' -H 'Prefer: wait=30' \\`,
    `    --json '{"input":{"upload":"${upload}"},"method":"occlusion"}'`,
    `In the browser: ${pageOf(access)}   Documentation: ${access.url}/docs`,
  ].join('\n');

function successOf({ explanation }: Answer): Answer['explanation'] {
  if (explanation.status === 'succeeded') return explanation;
  throw new Failure(`${explanation.method} failed: ${explanation.error?.message ?? explanation.status}`);
}

const isHit = ({ cacheStatus }: Answer): boolean => cacheStatus.includes('hit');

const cacheOf = (answer: Answer): string => (isHit(answer) ? 'from the cache' : 'computed');

async function fetchAll(client: WhylightClient, id: string, directory: string): Promise<void> {
  const fetchOne = async (name: ArtifactName) =>
    writeBytes(join(directory, name), await client.artifact(id, name));
  await Promise.all(artifactNames.map(fetchOne));
}

async function timed<T>(work: () => Promise<T>): Promise<[T, string]> {
  const start = performance.now();
  const value = await work();
  return [value, `${Math.round(performance.now() - start)} ms`];
}
