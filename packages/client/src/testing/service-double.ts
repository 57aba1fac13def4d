import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { visualizationSchema } from '@whylight/contract';
import { afterEach, beforeEach } from 'vitest';
import { WhylightClient } from '../index.ts';

export type Handle = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A service that gives prescribed answers, by `GET /v1/models`, and 404 otherwise. Each test has its own. */
class ServiceDouble {
  url = '';
  seen: { line: string; authorization: string | undefined; body: string }[] = [];
  routes: Record<string, Handle> = {};
  #server: Server | undefined;

  async start(): Promise<void> {
    this.seen = [];
    this.routes = {};
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const line = `${request.method} ${request.url}`;
      this.seen.push({ line, authorization: request.headers.authorization, body: body.toString('latin1') });
      const handle = this.routes[line];
      if (handle) handle(request, response, body);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  client(tries?: number): WhylightClient {
    return new WhylightClient({ url: this.url, apiKey: 'key', tries });
  }

  /** The requests that came, in order. */
  lines(): string[] {
    return this.seen.map(({ line }) => line);
  }
}

export function serviceDouble(): ServiceDouble {
  const double = new ServiceDouble();
  beforeEach(() => double.start());
  afterEach(() => double.stop());
  return double;
}

export const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));

/** Answers with each of `bodies` in turn. */
export function inTurn(...bodies: unknown[]): Handle {
  return (_, response) => json(response, 200, bodies.shift());
}

export const explanation = (status: string) => ({
  id: 'exp_1',
  object: 'explanation',
  status,
  created_at: '2026-11-23T00:00:00Z',
  started_at: null,
  completed_at: null,
  input: { sha256: '0'.repeat(64) },
  model: { id: 'shapes', name: 'shapes', digest: 'sha256:0' },
  method: 'grad-cam',
  method_version: '1',
  convention: 'paper',
  parameters: {},
  layers: [],
  target: { type: 'class', index: 'predicted', score: 'logit' },
  language: 'en',
  cache: { status: 'miss', key: 'sha256:0' },
  output: { visualization: visualizationSchema.parse({}) },
  metadata: {},
  progress: null,
  task: null,
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

export const problem = (status: number, code: string) => ({
  type: `urn:whylight:problem:${code}`,
  title: 'A title',
  status,
  detail: 'What went wrong.',
  instance: 'req_2',
  code,
  request_id: 'req_2',
  retryable: status >= 500,
});
