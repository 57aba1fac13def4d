import { createHash } from 'node:crypto';
import type { Model, Problem } from '@whylight/contract';
import type { RunningService } from './running-service.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Announces a model as a user would, with size and digest of its file. */
export async function announceModel(
  service: RunningService,
  bytes: Bytes,
  about: object = {},
  apiKey?: string,
): Promise<Model> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const body = { name: 'mine', sha256, content_length: bytes.length, ...about };
  const response = await service.call('/v1/models', body, apiKey);
  if (!response.ok) throw new Error(((await response.json()) as Problem).detail);
  return (await response.json()) as Model;
}

/** PUTs the file, part by part. @returns the body of the request `complete` */
export async function putParts(
  { upload }: Model,
  bytes: Bytes,
): Promise<{ part_number: number; etag: string }[]> {
  const sent = upload!.parts.map(async ({ part_number, url, offset, headers }) => {
    const part = bytes.slice(offset, offset + Number(headers['content-length']));
    const response = await fetch(url, { method: 'PUT', body: part });
    if (!response.ok) throw new Error(`part ${part_number}: ${response.status} ${await response.text()}`);
    return { part_number, etag: response.headers.get('etag')! };
  });
  return Promise.all(sent);
}

/** Uploads a model and waits until it is examined. */
export async function bringModel(
  service: RunningService,
  bytes: Bytes,
  about: object = {},
  apiKey?: string,
): Promise<Model> {
  const model = await announceModel(service, bytes, about, apiKey);
  if (!model.upload) return model;
  const parts = await putParts(model, bytes);
  const response = await service.call(model.urls.complete!, { parts }, apiKey);
  return (await response.json()) as Model;
}
