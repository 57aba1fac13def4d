import { describe, expect, it } from 'vitest';
import { ProblemError } from './index.ts';
import { type Handle, inTurn, json, problem, serviceDouble } from './testing/service-double.ts';

const double = serviceDouble();

const bytes = Uint8Array.of(1, 2, 3, 4, 5);
const announcement = {
  name: 'mine',
  sha256: '74f81fe167d99b4cb41d6d0ccda82278caee9f3e2f25d5e5a3936ff3dcec60d0',
  content_length: 5,
};

const model = (status: string, upload: unknown = null, change: object = {}) => ({
  id: 'mdl_1',
  object: 'model',
  name: 'mine',
  digest: `sha256:${announcement.sha256}`,
  own: true,
  status,
  created_at: '2026-11-23T00:00:00Z',
  content_length: 5,
  classes: null,
  input_shape: null,
  default: false,
  deterministic: null,
  methods: [],
  report: null,
  error: null,
  upload,
  urls: { self: '/v1/models/mdl_1', complete: '/v1/models/mdl_1/complete', warm: '/v1/models/mdl_1/warm' },
  ...change,
});
/** Parts of three and two bytes, signed as `signature`. */
const parts = (signature: string) => ({
  method: 'PUT',
  parts: [3, 2].map((length, i) => ({
    part_number: i + 1,
    url: `${double.url}/part${i + 1}?${signature}`,
    headers: { 'content-length': `${length}` },
    offset: 3 * i,
  })),
  expires_at: '2026-11-23T00:05:00Z',
});
const stored =
  (etag: string): Handle =>
  (_, response) =>
    response.writeHead(200, { ETag: etag }).end();

describe('a model that is pushed', () => {
  it('goes in parts to signed URLs without the API key, and is waited for until it is examined', async () => {
    double.routes['POST /v1/models'] = (_, response) => json(response, 201, model('pending', parts('a')));
    double.routes['PUT /part1?a'] = stored('"x"');
    double.routes['PUT /part2?a'] = stored('"y"');
    double.routes['POST /v1/models/mdl_1/complete'] = (request, response) => {
      expect(request.headers.prefer).toBe('wait=30');
      json(response, 202, model('validating'));
    };
    double.routes['GET /v1/models/mdl_1?wait=30'] = inTurn(model('validating'), model('ready'));
    const sent: number[] = [];
    const options = { onProgress: (count: number) => sent.push(count) };
    const { status } = await double.client().ownModels.push(bytes, { name: 'mine' }, options);
    expect([status, sent]).toEqual(['ready', [3, 5]]);
    const [announced, first, second, completed] = double.seen;
    expect(JSON.parse(announced!.body)).toEqual(announcement);
    expect([first, second]).toEqual([
      { line: 'PUT /part1?a', authorization: undefined, body: '\x01\x02\x03' },
      { line: 'PUT /part2?a', authorization: undefined, body: '\x04\x05' },
    ]);
    expect(JSON.parse(completed!.body)).toEqual({
      parts: [
        { part_number: 1, etag: '"x"' },
        { part_number: 2, etag: '"y"' },
      ],
    });
  });

  it('gets new URLs where they have run out, and a part that was lost is sent again', async () => {
    const announcements = [parts('a'), parts('b')];
    double.routes['POST /v1/models'] = (_, response) =>
      json(response, 200, model('pending', announcements.shift()));
    const tries = [503, 200];
    double.routes['PUT /part1?a'] = (_, response) =>
      response.writeHead(tries.shift()!, { ETag: '"x"' }).end();
    double.routes['PUT /part2?a'] = (_, response) => response.writeHead(403).end('<Error/>');
    double.routes['PUT /part2?b'] = stored('"y"');
    double.routes['POST /v1/models/mdl_1/complete'] = inTurn(model('rejected'));
    const { status } = await double.client().ownModels.push(bytes, { name: 'mine' });
    expect(status).toBe('rejected');
    expect(double.lines().slice(1, 6)).toEqual([
      'PUT /part1?a',
      'PUT /part1?a',
      'PUT /part2?a',
      'POST /v1/models',
      'PUT /part2?b',
    ]);
    expect(JSON.parse(double.seen.at(-1)!.body).parts).toHaveLength(2);
  });

  it('that the object store keeps refusing is given up', async () => {
    double.routes['POST /v1/models'] = (_, response) => json(response, 200, model('pending', parts('a')));
    double.routes['PUT /part1?a'] = (_, response) => response.writeHead(403).end();
    const pushed = double.client().ownModels.push(bytes, { name: 'mine' });
    await expect(pushed).rejects.toMatchObject({ name: 'ProblemError', status: 403 });
    expect(double.lines()).toHaveLength(4);
  });

  it('is not sent again when the service has it', async () => {
    double.routes['POST /v1/models'] = inTurn(model('validating'));
    double.routes['GET /v1/models/mdl_1?wait=30'] = inTurn(model('ready'));
    expect((await double.client().ownModels.push(bytes, { name: 'mine' })).status).toBe('ready');
    expect(double.lines()).toEqual(['POST /v1/models', 'GET /v1/models/mdl_1?wait=30']);
  });
});

describe('models of one’s own', () => {
  it('are listed page by page without those of the service', async () => {
    const list = (data: unknown[], next: string | null) => ({
      ...{ object: 'list', data, has_more: next !== null, next_cursor: next },
    });
    const theirs = model('ready', null, { id: 'shapes', own: false });
    double.routes['GET /v1/models?limit=100'] = inTurn(list([theirs, model('ready')], 'mdl_1'));
    double.routes['GET /v1/models?limit=100&starting_after=mdl_1'] = inTurn(
      list([model('ready', null, { id: 'mdl_0' })], null),
    );
    const ids = [];
    for await (const { id } of double.client().ownModels.list()) ids.push(id);
    expect(ids).toEqual(['mdl_1', 'mdl_0']);
  });

  it('are warmed and deleted', async () => {
    double.routes['POST /v1/models/mdl_1/warm'] = (_, response) => json(response, 202, model('ready'));
    double.routes['DELETE /v1/models/mdl_1'] = (_, response) => response.writeHead(204).end();
    const { ownModels } = double.client();
    expect((await ownModels.warm('mdl_1')).id).toBe('mdl_1');
    await ownModels.remove('mdl_1');
    double.routes['GET /v1/models/mdl_1'] = (_, response) => json(response, 404, problem(404, 'x'));
    await expect(ownModels.get('mdl_1')).rejects.toBeInstanceOf(ProblemError);
  });
});
