import { join } from 'node:path';
import { type Answer, WhylightClient } from '@whylight/client';
import { type ArtifactName, artifactNames, type ExplanationRequest } from '@whylight/contract';
import { Failure } from '../failure.ts';
import { writeBytes } from '../files.ts';
import { print } from '../output.ts';
import type { Access } from '../serve/service.ts';
import { demoPhoto } from './photo.ts';

export interface DemoOptions {
  readonly output: string;
  /** When the command began, by `performance.now()`. */
  readonly begun: number;
  /** Whether the service will be there for more. */
  readonly stays: boolean;
}

const shown = ['grad-cam', 'integrated-gradients'];

/** The service's main job, told step by step. */
export async function runDemo(access: Access, { output, begun, stays }: DemoOptions): Promise<void> {
  const client = new WhylightClient({ url: access.url, apiKey: access.apiKey });
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  print(`[${seconds()}] ready at ${access.url}`);

  const photo = await demoPhoto();
  await writeBytes(join(output, 'photo.png'), photo.png);
  const [upload, uploaded] = await timed(() => client.upload(photo.png, 'image/png'));
  const how = upload.upload ? 'PUT to a signed URL' : 'known already, nothing sent';
  print(`[${seconds()}] drew a ${photo.label} (${photo.side} px) and uploaded it: ${how}, ${uploaded}`);

  for (const method of shown) {
    const request: ExplanationRequest = { input: { upload: upload.id }, method };
    const [answer, took] = await timed(() => client.explain(request));
    const { predictions, metrics } = successOf(answer);
    const [best] = predictions;
    const device =
      metrics && !isHit(answer)
        ? `, ${Math.round(metrics.compute_ms)} ms of it on the ${metrics.device}`
        : '';
    const found = `${best?.label} ${best?.score.toFixed(3)}`;
    print(`[${seconds()}] ${method}: ${found}, ${cacheOf(answer)} in ${took}${device}`);
    await fetchAll(client, answer.explanation.id, join(output, method));
    print(`           ${join(output, method)}: ${artifactNames.join(', ')}`);
  }

  const again: ExplanationRequest = { input: { upload: upload.id }, method: shown[0]! };
  const [repeat, took] = await timed(() => client.explain(again));
  successOf(repeat);
  print(`[${seconds()}] ${shown[0]} again: ${cacheOf(repeat)} in ${took}, no work for the worker`);
  if (!stays) return;
  print(`\nTry it yourself:\n${curlLine(access, upload.id)}`);
  print(`In the browser, with the same key: ${access.url}/playground   Documentation: ${access.url}/docs`);
}

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

const curlLine = ({ url, apiKey }: Access, upload: string): string =>
  [
    `  curl ${url}/v1/explanations -H 'Authorization: Bearer ${apiKey}' -H 'Prefer: wait=30' \\`,
    `    --json '{"input":{"upload":"${upload}"},"method":"occlusion"}'`,
  ].join('\n');
