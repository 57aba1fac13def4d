import { describe, expect, it } from 'vitest';
import { ExplanationError, ProblemError, successOf } from './index.ts';
import { explanation, type Handle, json, problem, serviceDouble } from './testing/service-double.ts';

const double = serviceDouble();

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
    double.routes['POST /v1/uploads'] = (_, response) =>
      json(response, 201, upload(`${double.url}/signed?x=1`));
    double.routes['PUT /signed?x=1'] = (_, response) => response.end();
    await double.client().upload(bytes, 'image/png');
    expect(JSON.parse(double.seen[0]!.body)).toEqual({
      content_type: 'image/png',
      content_length: 3,
      sha256: upload(null).sha256,
    });
    expect(double.seen[1]).toEqual({
      line: 'PUT /signed?x=1',
      authorization: undefined,
      body: '\x01\x02\x03',
    });
  });

  it('is sent again when the store stumbles, and is there when an earlier try has arrived after all', async () => {
    double.routes['POST /v1/uploads'] = (_, response) => json(response, 201, upload(`${double.url}/signed`));
    const answers = [503, 412];
    double.routes['PUT /signed'] = (_, response) => response.writeHead(answers.shift()!).end();
    expect((await double.client().upload(bytes, 'image/png')).id).toBe('upl_1');
    expect(double.lines()).toEqual(['POST /v1/uploads', 'PUT /signed', 'PUT /signed']);
  });

  it('sends nothing when the service has the bytes already', async () => {
    double.routes['POST /v1/uploads'] = (_, response) => json(response, 200, upload(null));
    await double.client().upload(bytes, 'image/png');
    expect(double.seen.map(({ line }) => line)).toEqual(['POST /v1/uploads']);
  });
});

describe('an explanation', () => {
  it('is waited for until its status is final', async () => {
    const states = ['queued', 'processing', 'succeeded'];
    const next: Handle = (_, response) => json(response, 200, explanation(states.shift()!));
    double.routes['POST /v1/explanations'] = (request, response, body) => {
      expect(request.headers.prefer).toBe('wait=30');
      next(request, response, body);
    };
    double.routes['GET /v1/explanations/exp_1?wait=30'] = next;
    const answer = await double.client().explain({ input: { upload: 'upl_1' }, method: 'grad-cam' });
    expect(answer.explanation.status).toBe('succeeded');
    expect(double.seen).toHaveLength(3);
  });

  it('gives its artifacts through the redirect, without the API key', async () => {
    double.routes['GET /v1/explanations/exp_1/artifacts/overlay.png'] = (_, response) =>
      response.writeHead(302, { Location: `${double.url}/signed` }).end();
    double.routes['GET /signed'] = (_, response) => response.end('png');
    expect(await double.client().artifact('exp_1', 'overlay.png')).toEqual(new TextEncoder().encode('png'));
    expect(double.seen.map(({ authorization }) => authorization)).toEqual(['Bearer key', undefined]);
  });
});

it('a rendering gives its pictures by their links', async () => {
  const link = (name: string) => ({
    name,
    url: `/v1/explanations/exp_1/artifacts/${name}?rendering=k`,
    sha256: '0'.repeat(64),
    bytes: 3,
    content_type: 'image/png',
  });
  const { visualization } = explanation('succeeded').output;
  double.routes['POST /v1/explanations/exp_1/render'] = (_, response) =>
    json(response, 200, {
      object: 'rendering',
      explanation: 'exp_1',
      visualization,
      language: 'zh',
      cache: { status: 'miss', key: 'sha256:0' },
      artifacts: { overlay: link('overlay.png'), heatmap: link('heatmap.png') },
      warnings: [],
    });
  double.routes['GET /v1/explanations/exp_1/artifacts/overlay.png?rendering=k'] = (_, response) =>
    response.writeHead(302, { Location: `${double.url}/signed` }).end();
  double.routes['GET /signed'] = (_, response) => response.end('png');
  const client = double.client();
  const { artifacts } = await client.render('exp_1', { language: 'zh' });
  expect(JSON.parse(double.seen[0]!.body)).toEqual({ language: 'zh' });
  expect(await client.download(artifacts.overlay)).toEqual(new TextEncoder().encode('png'));
});

it('a prediction that is not done in time is asked for again', async () => {
  const answers = [503, 200];
  const predictions = {
    object: 'predictions',
    input: { sha256: '0'.repeat(64) },
    model: { id: 'shapes', name: 'shapes', digest: 'sha256:0' },
    task: 'multiclass',
    predictions: [],
    cache: { status: 'miss', key: 'sha256:0' },
    warnings: [],
    request_id: 'req_1',
  };
  double.routes['POST /v1/predictions'] = (_, response) => {
    const status = answers.shift()!;
    json(response, status, status === 200 ? predictions : problem(status, 'capacity'));
  };
  expect(await double.client().predict({ input: { upload: 'upl_1' }, top_k: 3 })).toEqual(predictions);
  expect(double.lines()).toEqual(['POST /v1/predictions', 'POST /v1/predictions']);
});

describe('an explanation that takes long', () => {
  const queued: Handle = (_, response) => json(response, 202, explanation('queued'));

  it('is looked at every other second where waiting requests are cut off', async () => {
    double.routes['POST /v1/explanations'] = queued;
    double.routes['GET /v1/explanations/exp_1?wait=30'] = (_, response) =>
      json(response, 504, problem(504, 'x'));
    double.routes['GET /v1/explanations/exp_1'] = (_, response) =>
      json(response, 200, explanation('succeeded'));
    const seenStates: string[] = [];
    const { explanation: ended } = await double
      .client(1)
      .explain(
        { input: { upload: 'upl_1' }, method: 'grad-cam' },
        { onProgress: ({ status }) => seenStates.push(status) },
      );
    expect([ended.status, seenStates]).toEqual(['succeeded', ['queued', 'queued']]);
  });

  it('is given up at its timeout, which the service is told', async () => {
    double.routes['POST /v1/explanations'] = (request, response) => {
      expect(request.headers['cancel-after']).toBe('1s');
      queued(request, response, Buffer.alloc(0));
    };
    double.routes['GET /v1/explanations/exp_1?wait=30'] = () => {};
    const asked = double
      .client()
      .explain({ input: { upload: 'upl_1' }, method: 'grad-cam' }, { timeout: 0.3 });
    await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('that has ended without a result is an error of its code, for who insists', async () => {
    const failed = {
      ...explanation('failed'),
      error: { code: 'gpu_out_of_memory', message: 'No room.', retryable: false },
    };
    double.routes['GET /v1/explanations/exp_1'] = (_, response) => json(response, 200, failed);
    const got = await double.client().explanation('exp_1');
    expect(() => successOf(got)).toThrow(ExplanationError);
    expect(() => successOf(got)).toThrow(/grad-cam: No room/);
  });
});

describe('an Idempotency-Key', () => {
  it('is the same for all tries of one call, and another for the next', async () => {
    const keys: (string | undefined)[] = [];
    const answers = [503, 409, 200, 200];
    double.routes['POST /v1/explanations'] = (request, response) => {
      keys.push(request.headers['idempotency-key'] as string);
      const status = answers.shift()!;
      const headers = { 'Retry-After': '0' };
      if (status === 200) json(response, 200, explanation('succeeded'));
      else json(response, status, problem(status, status === 409 ? 'idempotency_in_progress' : 'x'), headers);
    };
    const ask = () => double.client().explain({ input: { upload: 'upl_1' }, method: 'grad-cam' });
    await ask();
    await ask();
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys.slice(0, 3)).toEqual([keys[0], keys[0], keys[0]]);
    expect(keys[3]).not.toBe(keys[0]);
  });

  it('of another kind of conflict is not tried again', async () => {
    double.routes['POST /v1/explanations'] = (_, response) =>
      json(response, 409, problem(409, 'upload_not_ready'));
    const asked = double.client().create({ input: { upload: 'upl_1' }, method: 'grad-cam' });
    await expect(asked).rejects.toMatchObject({ code: 'upload_not_ready' });
    expect(double.seen).toHaveLength(1);
  });
});

describe('what must not be made twice', () => {
  it('is not tried again when the connection is lost or the service stumbles', async () => {
    double.routes['POST /v1/keys'] = (request) => request.socket.destroy();
    await expect(double.client().createKey()).rejects.toThrow();
    double.routes['POST /v1/keys'] = (_, response) => json(response, 500, problem(500, 'internal'));
    await expect(double.client().createKey()).rejects.toMatchObject({ status: 500 });
    expect(double.seen).toHaveLength(2);
  });

  it('is tried again where the answer says that nothing was done', async () => {
    double.routes['POST /v1/keys'] = (_, response) =>
      json(response, 429, problem(429, 'rate_limited'), { 'Retry-After': '1' });
    const start = performance.now();
    await expect(double.client(2).createKey()).rejects.toMatchObject({ status: 429 });
    expect(double.seen).toHaveLength(2);
    expect(performance.now() - start).toBeGreaterThan(990);
  });
});

describe('a list', () => {
  it('is read page by page', async () => {
    const item = (id: string) => ({ ...explanation('succeeded'), id });
    double.routes['GET /v1/explanations?limit=100'] = (_, response) =>
      json(response, 200, { object: 'list', data: [item('a')], has_more: true, next_cursor: 'a' });
    double.routes['GET /v1/explanations?limit=100&starting_after=a'] = (_, response) =>
      json(response, 200, { object: 'list', data: [item('b')], has_more: false, next_cursor: null });
    const ids = [];
    for await (const { id } of double.client().explanations()) ids.push(id);
    expect(ids).toEqual(['a', 'b']);
  });
});

describe('a refusal', () => {
  it('is an error with code, status and request id, and is not tried again', async () => {
    double.routes['GET /v1/models'] = (_, response) =>
      json(response, 403, problem(403, 'insufficient_scope'));
    const error = await double
      .client()
      .models()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, requestId: 'req_2' });
    expect(double.seen).toHaveLength(1);
  });

  it('that is no problem document still tells its status', async () => {
    double.routes['GET /v1/models'] = (_, response) => response.writeHead(400).end('<html>');
    await expect(double.client().models()).rejects.toMatchObject({ code: 'http_400', status: 400 });
  });
});

describe('a passing fault', () => {
  it.each([408, 429, 500, 503])('of status %i is tried again', async (status) => {
    const answers = [status, 200];
    double.routes['GET /v1/models'] = (_, response) => {
      const now = answers.shift()!;
      const body =
        now === 200 ? { object: 'list', data: [], has_more: false, next_cursor: null } : problem(now, 'x');
      json(response, now, body);
    };
    expect(await double.client().models()).toEqual([]);
    expect(double.seen).toHaveLength(2);
  });

  it('of the network is tried again, and given up after the last try', async () => {
    double.routes['GET /v1/models'] = (request) => request.socket.destroy();
    await expect(double.client(2).models()).rejects.toThrow();
    expect(double.seen).toHaveLength(2);
  });
});

describe('a link with a signed URL', () => {
  const link = (signed_url: string) => ({ url: '/v1/explanations/exp_1/artifacts/overlay.png', signed_url });

  it('L11: is fetched by it, without the API key and without asking the API', async () => {
    double.routes['GET /signed'] = (_, response) => response.end('png');
    const bytes = await double.client().download(link(`${double.url}/signed`));
    expect(bytes).toEqual(new TextEncoder().encode('png'));
    expect(double.seen.map(({ line, authorization }) => [line, authorization])).toEqual([
      ['GET /signed', undefined],
    ]);
  });

  it('L11: that has expired is fetched by another one, for which the client asks as JSON', async () => {
    double.routes['GET /expired'] = (_, response) => response.writeHead(403).end();
    double.routes['GET /signed'] = (_, response) => response.end('png');
    double.routes['GET /v1/explanations/exp_1/artifacts/overlay.png'] = (request, response) => {
      expect(request.headers.accept).toBe('application/json');
      json(response, 200, { url: `${double.url}/signed`, expires_at: '2026-12-01T10:00:00Z' });
    };
    const bytes = await double.client().download(link(`${double.url}/expired`));
    expect(bytes).toEqual(new TextEncoder().encode('png'));
    expect(double.seen.map(({ authorization }) => authorization)).toEqual([
      undefined,
      'Bearer key',
      undefined,
    ]);
  });
});
