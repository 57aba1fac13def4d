import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Explanation, Problem, Upload } from '@whylight/contract';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oddNetwork } from './service/odd-network.ts';
import { bomb, drawing } from './service/pictures.ts';
import { cli, RunningService } from './service/running-service.ts';

type Bytes = Uint8Array<ArrayBuffer>;
/** An explanation or a problem. */
type Answer = Omit<Explanation, 'status'> & Omit<Problem, 'status'> & { status: string | number };

const shapes = fileURLToPath(new URL('../models/shapes/shapes.onnx', import.meta.url));
const text = (content: string): Bytes => new TextEncoder().encode(content);
const sha256 = (bytes: Bytes): string => createHash('sha256').update(bytes).digest('hex');

let directory: string;
let odd: string;
let service: RunningService;
let upload: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'whylight-refusals-'));
  odd = join(directory, 'odd.onnx');
  await writeFile(odd, oddNetwork());
  service = await RunningService.start({ directory: join(directory, 'data'), models: [`odd=${odd}`] });
  upload = (await service.client.upload((await drawing(1)).png, 'image/png')).id;
});
afterAll(async () => {
  await service?.end();
  await rm(directory, { recursive: true, force: true });
});

/** A message for users: something, and no trace of code or of this machine. */
function expectClear(message: string): void {
  expect(message.length).toBeGreaterThan(10);
  expect(message).not.toMatch(/\n\s+at |node_modules|\.ts\b|\/src\/|\[object|undefined|TypeError/);
  expect(message).not.toContain(directory);
}

const announce = async (bytes: Bytes, hash = sha256(bytes), type = 'image/png') =>
  (await (
    await service.call('/v1/uploads', { content_type: type, content_length: bytes.length, sha256: hash })
  ).json()) as Upload;

const put = ({ upload: signed }: Upload, bytes: Bytes, headers: Record<string, string> = {}) =>
  fetch(signed!.url, { method: 'PUT', headers: { ...sendable(signed!.headers), ...headers }, body: bytes });

/** fetch counts bytes itself. */
const sendable = ({ 'content-length': _, ...headers }: Record<string, string>) => headers;

const ask = async (body: object): Promise<[number, Answer]> => {
  const response = await service.call('/v1/explanations', { method: 'grad-cam', model: 'shapes', ...body });
  return [response.status, (await response.json()) as Answer];
};

describe('files that are no photos', () => {
  it.each([
    [
      'text that says it is a picture',
      async () => text('not an image, whatever the header says'),
      'invalid_image',
    ],
    ['a picture cut short', async () => (await drawing(4)).png.slice(0, 20_000), 'invalid_image'],
    ['a small file of 268 million pixels', async () => bomb(16_383), 'image_too_large'],
    ['an SVG', async () => text('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'unsupported_media_type'],
  ])('%s', async (_, make, code) => {
    const bytes = await make();
    const announced = await announce(bytes);
    expect((await put(announced, bytes)).status).toBe(200);
    const [status, { error, ...explanation }] = await ask({ input: { upload: announced.id } });
    expect([status, explanation.status, error?.code, error?.retryable]).toEqual([200, 'failed', code, false]);
    expectClear(error!.message);
  });

  it('an SVG that is announced as one', async () => {
    const body = { content_type: 'image/svg+xml', content_length: 40, sha256: sha256(text('x')) };
    const response = await service.call('/v1/uploads', body);
    expect([response.status, ((await response.json()) as Problem).code]).toEqual([
      415,
      'unsupported_media_type',
    ]);
  });
});

describe('uploads that are not what was announced', () => {
  it('other bytes of the same length', async () => {
    const { png } = await drawing(2);
    const announced = await announce(png, sha256(text('something else')));
    await put(announced, png);
    const [, { status, error }] = await ask({ input: { upload: announced.id } });
    expect([status, error?.code]).toEqual(['failed', 'upload_mismatch']);
    expectClear(error!.message);
  });

  it('more bytes, another type, or nothing at all', async () => {
    const { png } = await drawing(3);
    const announced = await announce(png);
    expect((await put(announced, new Uint8Array([...png, 0]))).status).toBe(403);
    expect((await put(announced, png, { 'content-type': 'image/jpeg' })).status).toBe(403);
    const [status, { code, detail }] = await ask({ input: { upload: announced.id } });
    expect([status, code]).toEqual([409, 'upload_not_ready']);
    expectClear(detail);
  });

  it('a URL whose time is over, while the same URL of now is taken', async () => {
    const file = join(directory, 'data', 'secrets.json');
    const keys = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
    const store = new AwsClient({
      accessKeyId: keys.s3AccessKeyId!,
      secretAccessKey: keys.s3SecretAccessKey!,
      service: 's3',
      region: 'auto',
    });
    const signed = async (at: Date) => {
      const url = `${service.ready.store_url}/cdn-cgi/local/r2/s3/whylight/t/test?X-Amz-Expires=300`;
      const datetime = at.toISOString().replace(/[-:]|\.\d+/g, '');
      const aws = { signQuery: true, datetime };
      return (await store.sign(new Request(url, { method: 'PUT' }), { aws })).url;
    };
    const old = await fetch(await signed(new Date(Date.now() - 301_000)), { method: 'PUT', body: 'x' });
    const now = await fetch(await signed(new Date()), { method: 'PUT', body: 'x' });
    expect([old.status, now.status]).toEqual([403, 200]);
  });
});

describe('questions that cannot be answered', () => {
  it.each([
    ['a model that is not there', { model: 'shape' }, 404, 'resource_not_found', '/model'],
    ['a method that is not there', { method: 'gradcam' }, 400, 'invalid_parameter', '/method'],
    [
      'a class that the model does not have',
      { target: { class_index: 10 } },
      422,
      'target_out_of_range',
      '/target/class_index',
    ],
    ['a class that nobody has', { target: { label: 'zebra' } }, 422, 'target_out_of_range', '/target/label'],
    [
      'a parameter out of range',
      { method: 'integrated-gradients', parameters: { n_steps: 0 } },
      400,
      'invalid_parameter',
      '/parameters/n_steps',
    ],
    [
      'a method for which the model lacks a derivative',
      { model: 'odd', method: 'saliency' },
      422,
      'method_not_supported',
      '/method',
    ],
  ])('%s', async (_, body, status, code, pointer) => {
    const [got, problem] = await ask({ input: { upload }, ...body });
    expect([got, problem.code, problem.errors?.[0]?.pointer]).toEqual([status, code, pointer]);
    expectClear(problem.detail);
  });

  it('class 0 is a class like any other', async () => {
    const [, { attributions }] = await ask({ input: { upload }, target: { class_index: 0 } });
    expect(attributions[0]).toMatchObject({ output_index: 0 });
  });

  it('a model without derivatives can still be explained by hiding parts of the photo', async () => {
    const parameters = { sliding_window_shapes: [3, 64, 64], strides: [3, 64, 64] };
    const [, { status }] = await ask({ input: { upload }, model: 'odd', method: 'occlusion', parameters });
    expect(status).toBe('succeeded');
  });
});

describe('the command line ends with one sentence', () => {
  const run = (...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [cli, ...args], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });

  it('of a truncated model', async () => {
    const file = join(directory, 'short.onnx');
    await writeFile(file, (await readFile(shapes)).subarray(0, 5000));
    const { code, stderr } = await run('check', file);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expectClear(stderr);
  });

  it('of a file that is no model at all', async () => {
    const file = join(directory, 'noise.onnx');
    await writeFile(file, randomBytes(3000));
    const { code, stderr } = await run('check', file);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expectClear(stderr);
  });

  it('of an operator without a derivative, by name', async () => {
    const { code, stdout } = await run('check', odd, '--json');
    const report = JSON.parse(stdout) as {
      unsupported: { op: string }[];
      methods: { id: string; works: boolean }[];
    };
    expect([code, report.unsupported.map(({ op }) => op)]).toEqual([0, ['Hardmax']]);
    expect(report.methods.filter(({ works }) => works).map(({ id }) => id)).toContain('occlusion');
    expect(report.methods.filter(({ works }) => !works).map(({ id }) => id)).toContain('grad-cam');
  });

  it('of a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await run('serve', '--port', String(port), '--data', join(directory, 'other'));
    server.close();
    expect([code, stderr]).toEqual([1, `whylight: port ${port} is in use: choose another with --port\n`]);
  });

  it('of a database that cannot be made, with what the system says of it', async () => {
    const data = join(directory, 'damaged');
    await mkdir(join(data, 'state'), { recursive: true });
    await writeFile(join(data, 'state', 'v3'), 'a file where a directory has to be');
    const { code, stdout, stderr } = await run('serve', '--json', '--port', '0', '--data', data);
    const lines = stderr.trim().split('\n');
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(
      /^whylight: the gateway ended before it was ready \(1\); its last words: migrating the database failed: ENOTDIR/,
    );
    expect(lines).toContainEqual(expect.stringMatching(/^gateway: migrating the database failed: ENOTDIR/));
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'failed' } });
  });

  it('of a data directory that another one serves', async () => {
    const { code, stderr } = await run('serve', '--port', '0', '--data', join(directory, 'data'));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^whylight: process \d+ uses the data directory already: [^\n]+\n$/),
    ]);
  });
});
