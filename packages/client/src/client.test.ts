import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { visualizationSchema } from '@whylight/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProblemError, WhylightClient } from './index.ts';

type Handle = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

let server: Server;
let url: string;
let seen: { line: string; authorization: string | undefined; body: string }[];
let routes: Record<string, Handle>;

beforeEach(async () => {
  seen = [];
  routes = {};
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const line = `${request.method} ${request.url}`;
    seen.push({ line, authorization: request.headers.authorization, body: body.toString('latin1') });
    const handle = routes[line];
    if (handle) handle(request, response, body);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const client = (tries?: number) => new WhylightClient({ url, apiKey: 'key', tries });
const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));

const explanation = (status: string) => ({
  id: 'exp_1',
  object: 'explanation',
  status,
  created_at: '2026-11-23T00:00:00Z',
  started_at: null,
  completed_at: null,
  input: { sha256: '0'.repeat(64) },
  model: { name: 'shapes', digest: 'sha256:0' },
  method: 'grad-cam',
  method_version: '1',
  convention: 'paper',
  parameters: {},
  layers: [],
  target: 'predicted',
  language: 'en',
  cache: { status: 'miss', key: 'sha256:0' },
  output: { visualization: visualizationSchema.parse({}) },
  metadata: {},
  progress: null,
  predictions: [],
  attributions: [],
  metrics: null,
  warnings: [],
  error: null,
  expires_at: '2026-12-23T12:00:00.000Z',
  expired: false,
  urls: {
    self: '/v1/explanations/exp_1',
    cancel: '/v1/explanations/exp_1/cancel',
    events: '/v1/explanations/exp_1/events',
  },
  request_id: 'req_1',
});
const problem = (status: number, code: string) => ({
  type: `urn:whylight:problem:${code}`,
  title: 'A title',
  status,
  detail: 'What went wrong.',
  instance: 'req_2',
  code,
  request_id: 'req_2',
  retryable: status >= 500,
});

const upload = (to: string | null) => ({
  id: 'upl_1',
  object: 'upload',
  status: 'pending',
  content_type: 'image/png',
  content_length: 3,
  sha256: '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81',
  created_at: '2026-11-23T00:00:00Z',
  upload: to && {
    method: 'PUT',
    url: to,
    headers: { 'content-type': 'image/png', 'content-length': '3' },
    expires_at: '2026-11-23T00:05:00Z',
  },
  limits: { max_bytes: 1, max_pixels: 1, types: [] },
});
const bytes = Uint8Array.of(1, 2, 3);

describe('an upload', () => {
  it('announces the SHA-256, then PUTs the bytes without the API key', async () => {
    routes['POST /v1/uploads'] = (_, response) => json(response, 201, upload(`${url}/signed?x=1`));
    routes['PUT /signed?x=1'] = (_, response) => response.end();
    await client().upload(bytes, 'image/png');
    expect(JSON.parse(seen[0]!.body)).toEqual({
      content_type: 'image/png',
      content_length: 3,
      sha256: upload(null).sha256,
    });
    expect(seen[1]).toEqual({ line: 'PUT /signed?x=1', authorization: undefined, body: '\x01\x02\x03' });
  });

  it('sends nothing when the service has the bytes already', async () => {
    routes['POST /v1/uploads'] = (_, response) => json(response, 200, upload(null));
    await client().upload(bytes, 'image/png');
    expect(seen.map(({ line }) => line)).toEqual(['POST /v1/uploads']);
  });
});

describe('an explanation', () => {
  it('is waited for until its status is final', async () => {
    const states = ['queued', 'processing', 'succeeded'];
    const next: Handle = (_, response) => json(response, 200, explanation(states.shift()!));
    routes['POST /v1/explanations'] = (request, response, body) => {
      expect(request.headers.prefer).toBe('wait=30');
      next(request, response, body);
    };
    routes['GET /v1/explanations/exp_1?wait=30'] = next;
    const answer = await client().explain({ input: { upload: 'upl_1' }, method: 'grad-cam' });
    expect(answer.explanation.status).toBe('succeeded');
    expect(seen).toHaveLength(3);
  });

  it('gives its artifacts through the redirect, without the API key', async () => {
    routes['GET /v1/explanations/exp_1/artifacts/overlay.png'] = (_, response) =>
      response.writeHead(302, { Location: `${url}/signed` }).end();
    routes['GET /signed'] = (_, response) => response.end('png');
    expect(await client().artifact('exp_1', 'overlay.png')).toEqual(new TextEncoder().encode('png'));
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer key', undefined]);
  });
});

describe('a refusal', () => {
  it('is an error with code, status and request id, and is not tried again', async () => {
    routes['GET /v1/models'] = (_, response) => json(response, 403, problem(403, 'insufficient_scope'));
    const error = await client()
      .models()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, requestId: 'req_2' });
    expect(seen).toHaveLength(1);
  });

  it('that is no problem document still tells its status', async () => {
    routes['GET /v1/models'] = (_, response) => response.writeHead(400).end('<html>');
    await expect(client().models()).rejects.toMatchObject({ code: 'http_400', status: 400 });
  });
});

describe('a passing fault', () => {
  it.each([408, 429, 500, 503])('of status %i is tried again', async (status) => {
    const answers = [status, 200];
    routes['GET /v1/models'] = (_, response) => {
      const now = answers.shift()!;
      const body =
        now === 200 ? { object: 'list', data: [], has_more: false, next_cursor: null } : problem(now, 'x');
      json(response, now, body);
    };
    expect(await client().models()).toEqual([]);
    expect(seen).toHaveLength(2);
  });

  it('of the network is tried again, and given up after the last try', async () => {
    routes['GET /v1/models'] = (request) => request.socket.destroy();
    await expect(client(2).models()).rejects.toThrow();
    expect(seen).toHaveLength(2);
  });
});
