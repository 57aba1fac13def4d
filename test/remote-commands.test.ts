import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { artifactNames, type Explanation, type Model } from '@whylight/contract';
import { dataBeside } from '@whylight/core/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawing } from './service/pictures.ts';
import { cli, RunningService } from './service/running-service.ts';

let service: RunningService;
let home: string;
let photo: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-remote-'));
  photo = join(home, 'photo.png');
  await writeFile(photo, (await drawing(31)).png);
  service = await RunningService.start();
});
afterAll(async () => {
  await service?.remove();
  await rm(home, { recursive: true, force: true });
});

/** `whylight` with these arguments, and this on stdin. */
function whylight(
  args: readonly string[],
  input = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [cli, ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      output[name] += chunk;
    });
  child.stdin.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? 1, ...output })));
}

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await whylight([...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

it('without a login they say what is missing', async () => {
  expect(await whylight(['usage'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^whylight: no service is configured: run whylight login[^\n]*\n$/),
  });
});

it('login takes the key from stdin, refuses a wrong one, and keeps it for its owner only', async () => {
  const { url, api_key, operator_key } = service.ready;
  const wrong = await whylight(['login', url], `${api_key.slice(0, -1)}x\n`);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('key') });
  const outputs = [
    await whylight(['login', `${url}/`], `${api_key}\n`),
    await whylight(['login', url, '--operator', '--json'], `${operator_key}\n`),
  ];
  const path = join(home, 'config', 'whylight', 'credentials.json');
  expect(JSON.parse(outputs[1]!.stdout)).toEqual({ url, operator: true, stored_in: path });
  for (const { code, stdout, stderr } of outputs) {
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toMatch(new RegExp(`${api_key}|${operator_key}`));
  }
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    url,
    apiKey: api_key,
    operatorKey: operator_key,
  });
});

it('remote explain uploads, waits and writes the four files; the second time it comes from the cache', async () => {
  const out = join(home, 'out');
  const asked = ['remote', 'explain', photo, '--method', 'grad-cam', '-o', out];
  const [first] = await json(...asked);
  expect(first).toMatchObject({ status: 'succeeded', cache: { status: 'miss' }, out });
  for (const name of artifactNames) expect((await stat(join(out, name))).size).toBeGreaterThan(100);
  const again = await whylight(asked);
  expect(again.stdout).toMatch(/^photo\.png: .+, grad-cam, from the cache, \d+ ms: /);
  // A drawing, of which the network for photos knows nothing.
  const doubted = await whylight([...asked, '--model', 'efficientnet-lite0']);
  expect(doubted).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^ {2}unsure: .* only 0\.1\d\d;/m),
  });
  const bad = await whylight(['remote', 'explain', photo, '--method', 'grad-camel', '-o', out]);
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringMatching(/^[^\n]*"grad-camel"[^\n]*\n$/) });
  expect(bad.stderr.match(/grad-camel/g)).toHaveLength(1);
  expect(await whylight(['remote', 'explain', photo, '--model', 'nobody', '-o', out])).toMatchObject({
    code: 2,
    stderr: 'whylight: the service has no model nobody\n',
  });
});

it('models push checks a model here as the service does there, sends it, and it explains', async () => {
  const shapes = fileURLToPath(new URL('../models/shapes/shapes.onnx', import.meta.url));
  const pushed = await json('models', 'push', shapes, '--name', 'pushed');
  expect(pushed).toMatchObject({ name: 'pushed', status: 'ready', own: true, classes: 10 });
  const { name: _, digest, ...checked } = await json('check', shapes);
  // The API's report has no members for axioms, for the model's manifest, and for scores other than classes' ones, which the
  // service does not explain. It has its own budget.
  const methods = checked.methods.map(({ axioms: _, ...method }: { axioms: unknown }) => method);
  const { preprocessing, warnings, budget, seen, scores, ...found } = checked;
  expect([preprocessing.mean.from, warnings, budget]).toEqual(['manifest', [], 60]);
  expect([seen.purpose, scores[0].score]).toEqual(['classification', 'output:logits.sum']);
  expect([pushed.digest, pushed.report]).toEqual([digest, { ...found, methods, budget: expect.any(Number) }]);
  const again = await whylight(['models', 'push', shapes, '--name', 'pushed']);
  expect(again.stdout).toMatch(new RegExp(`works +grad-cam[^]+pushed is ready: ${pushed.id}, \\d+ methods`));
  const [own] = await json('remote', 'explain', photo, '--model', 'pushed', '-o', join(home, 'own'));
  const [theirs] = await json('remote', 'explain', photo, '-o', join(home, 'theirs'));
  const sha256 = (one: Explanation) => one.attributions[0]!.artifacts.overlay.sha256;
  expect([own.model.id, sha256(own)]).toEqual([pushed.id, sha256(theirs)]);
});

// M1
it('models push sends a model with its weights beside it as one file', async () => {
  const shapes = fileURLToPath(new URL('../models/shapes/shapes.onnx', import.meta.url));
  const { model, data } = dataBeside(await readFile(shapes), 'apart.onnx.data');
  const apart = join(home, 'apart.onnx');
  await writeFile(apart, model);
  await writeFile(`${apart}.data`, data);
  const pushed = await json('models', 'push', apart);
  const { digest } = await json('check', apart, '--budget', '0');
  expect(pushed).toMatchObject({ name: 'apart', status: 'ready', classes: 10, digest });
  await service.client.ownModels.remove(pushed.id);
});

it('models push sends nothing of what is refused here', async () => {
  const bad = join(home, 'bad.onnx');
  await writeFile(bad, 'no model');
  const wrong = await whylight(['models', 'push', bad]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^whylight: .*\n$/) });
  const labels = join(home, 'labels.json');
  await writeFile(labels, '["a", "b"]');
  const shapes = fileURLToPath(new URL('../models/shapes/shapes.onnx', import.meta.url));
  expect(await whylight(['models', 'push', shapes, '--name', 'two', '--labels', labels])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/labels: expected 10, one for each class, got 2/),
  });
  const { ownModels } = service.client;
  const own: Model[] = [];
  for await (const model of ownModels.list()) own.push(model);
  expect(own.map(({ name }) => name)).toEqual(['pushed']);
  expect((await ownModels.warm(own[0]!.id)).status).toBe('ready');
  await ownModels.remove(own[0]!.id);
  expect((await ownModels.list().next()).done).toBe(true);
});

it('upload knows what was sent before, and refuses what is no photo', async () => {
  expect(await json('upload', photo)).toMatchObject([{ photo, known: true }]);
  const text = join(home, 'text.png');
  await writeFile(text, 'no picture');
  expect(await whylight(['upload', text])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('text.png'),
  });
});

it('keys are made with scopes, listed, rotated with a grace, and revoked', async () => {
  const made = await json('keys', 'create', '--name', 'reader', '--scopes', 'explanations:read');
  expect(made).toMatchObject({ name: 'reader', scopes: ['explanations:read'], secret: expect.any(String) });
  const rotated = await json('keys', 'rotate', made.id, '--grace', '1h');
  expect(rotated.id).not.toBe(made.id);
  expect(await json('keys', 'revoke', rotated.id)).toEqual({ id: rotated.id, revoked: true });
  for (const does of ['revoke', 'rotate'])
    expect(await whylight(['keys', does, 'key_nobody'])).toMatchObject({
      code: 2,
      stderr: 'whylight: the service has no key key_nobody\n',
    });
  expect(await whylight(['keys', 'create', '--expires', 'tomorrow'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Expected a time in UTC such as 2027-01-31T00:00:00Z.'),
  });
  const keys = await json('keys', 'list');
  const find = (id: string) => keys.find((key: { id: string }) => key.id === id);
  expect(find(rotated.id).revoked_at).not.toBeNull();
  expect(Date.parse(find(made.id).expires_at)).toBeGreaterThan(Date.now() + 3_000_000);
  expect(JSON.stringify(keys)).not.toContain(made.secret);
});

it('usage and doctor say how things stand', async () => {
  const { usage, limits } = await json('usage');
  expect(usage[0].explanations).toBeGreaterThan(0);
  expect(limits.requests.remaining).toBeLessThan(limits.requests.limit);
  const findings = await json('doctor');
  expect(findings.map(({ check, ok }: { check: string; ok: boolean }) => [check, ok])).toEqual(
    ['service', 'clock', 'key', 'upload', 'models', 'latency'].map((check) => [check, true]),
  );
});

it('tenants are made, listed, limited, suspended and let in again', async () => {
  const tenant = await json('tenants', 'create', 'a third one');
  const ask = async () => {
    const response = await service.call('/v1/limits', undefined, tenant.key.secret);
    const { requests, code } = (await response.json()) as { requests?: { limit: number }; code?: string };
    return [response.status, requests?.limit ?? code];
  };
  await json('tenants', 'limits', tenant.id, '--requests', '77');
  expect(await ask()).toEqual([200, 77]);
  await json('tenants', 'suspend', tenant.id);
  await expect.poll(ask, { timeout: 60_000 }).toEqual([403, 'tenant_suspended']);
  const [newest] = await json('tenants', 'list');
  expect(newest).toMatchObject({ id: tenant.id, suspended_at: expect.any(String) });
  for (const does of [['suspend'], ['resume'], ['limits', '--requests', '7']])
    expect(await whylight(['tenants', ...does, 'ten_nobody'])).toMatchObject({
      code: 2,
      stderr: 'whylight: the service has no tenant ten_nobody\n',
    });
  await json('tenants', 'resume', tenant.id);
  await expect.poll(ask, { timeout: 60_000 }).toEqual([200, 77]);
});
