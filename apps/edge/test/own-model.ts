import { type Model, type ModelRequest, sha256Hex } from '@whylight/contract';
import { expect } from 'vitest';
import { type Answer, call, photo } from './gateway.ts';

/** Announces a file that nobody else has; the worker double judges it by its name. */
export async function announceModel(
  key: string,
  wish: Partial<ModelRequest> = {},
  bytes: Uint8Array<ArrayBuffer> = photo(),
): Promise<Answer<Model>> {
  const body = { name: 'mine', sha256: await sha256Hex(bytes), content_length: bytes.length, ...wish };
  return call('POST', '/v1/models', { key, body });
}

/** PUTs the parts. @returns what `complete` is told */
export async function putParts({ upload }: Model, bytes: Uint8Array<ArrayBuffer>) {
  const parts = upload!.parts.map(async ({ part_number, url, headers, offset }) => {
    const body = bytes.slice(offset, offset + Number(headers['content-length']));
    const response = await fetch(url, { method: 'PUT', headers, body });
    expect(response.status).toBe(200);
    return { part_number, etag: response.headers.get('etag')! };
  });
  return Promise.all(parts);
}

/** Brings a model and waits until it is examined. */
export async function bringModel(
  key: string,
  wish: Partial<ModelRequest> = {},
  bytes: Uint8Array<ArrayBuffer> = photo(),
): Promise<Model> {
  const { body: model } = await announceModel(key, wish, bytes);
  const body = { parts: await putParts(model, bytes) };
  const headers = { Prefer: 'wait=20' };
  const completed = await call<Model>('POST', model.urls.complete!, { key, body, headers });
  expect(completed.status).toBe(200);
  return completed.body;
}
