import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WhylightClient } from '@whylight/client';
import type { Tenant } from '@whylight/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeOlder } from './service/older-form.ts';
import { olderClasses, writeOlderConfig } from './service/older-names.ts';
import { drawing } from './service/pictures.ts';
import { RunningService } from './service/running-service.ts';
import { endGroup, startWorker, startWranglerDev } from './service/wrangler-dev.ts';

const shapes = fileURLToPath(new URL('../models/shapes/shapes.onnx', import.meta.url));
const processes: ChildProcess[] = [];
let directory: string;
let service: RunningService | undefined;
/** What the older release left behind. */
let left: {
  tenant: string;
  apiKey: string;
  operatorKey: string;
  upload: string;
  explained: string;
  /** As results were before they told probabilities from scores, and how likely its class was. */
  older: { id: string; probability: number };
  waiting: string;
  /** An endpoint that could not be reached, and the explanation of which it was to hear. */
  webhook: { id: string; explanation: string };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'whylight-older-'));
  left = await leaveBehind(directory);
});
afterAll(async () => {
  await Promise.all(processes.map(endGroup));
  await service?.end();
  await rm(directory, { recursive: true, force: true });
});

/** Writes a data directory as `whylight serve` did when it ran the gateway by `wrangler dev`. */
async function leaveBehind(data: string): Promise<typeof left> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const secret = () => randomBytes(32).toString('hex');
  const secrets = {
    operatorKey: `wl_operator_${randomBytes(24).toString('hex')}`,
    workerSecret: secret(),
    // Those of wrangler.jsonc.
    s3AccessKeyId: 'local',
    s3SecretAccessKey: 'local-secret',
    webhookSecret: secret(),
  };
  const shared = {
    S3_ENDPOINT: `${url}/cdn-cgi/local/r2/s3`,
    S3_REGION: 'auto',
    S3_BUCKET: 'whylight',
    S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
    S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
    WORKER_SECRET: secrets.workerSecret,
  };
  const [worker, workerUrl] = await startWorker(shared);
  processes.push(worker);
  const settings = {
    ...shared,
    WORKER_URL: workerUrl,
    PUBLIC_URL: url,
    WEBHOOK_SECRET: secrets.webhookSecret,
    WEBHOOKS_ALLOW_LOOPBACK: 'true',
    OPERATOR_KEY_SHA256: createHash('sha256').update(secrets.operatorKey).digest('hex'),
  };
  const home = join(data, 'gateway');
  await mkdir(home);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(home, '.dev.vars'), lines.join(''));
  const config = join(home, 'wrangler.json');
  await writeOlderConfig(config);
  const gateway = await startWranglerDev(config, join(data, 'state'), join(home, '.dev.vars'), url);
  processes.push(gateway);

  const made = await fetch(`${url}/v1/operator/tenants`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secrets.operatorKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'local' }),
  });
  const { id: tenant, key } = (await made.json()) as Tenant;
  const client = new WhylightClient({ url, apiKey: key.secret });
  const { id: upload } = await client.upload((await drawing(61)).png, 'image/png');
  const explained = (await client.explain({ input: { upload }, model: 'shapes', method: 'grad-cam' }))
    .explanation;
  expect(explained.status).toBe('succeeded');
  const webhook = await client.webhookEndpoints.create(`http://127.0.0.1:${await freePort()}/`);
  const older = (
    await client.explain({ input: { upload }, model: 'shapes', method: 'eigen-cam', webhook: webhook.id })
  ).explanation;
  const { probability } = older.attributions[0]!;
  const { cam_tensor } = JSON.parse(await readFile(shapes.replace(/onnx$/, 'json'), 'utf8'));
  await client.ownModels.push(new Uint8Array(await readFile(shapes)), { name: 'mine', cam_tensor });
  await endGroup(worker);
  const waiting = (await client.create({ input: { upload }, model: 'shapes', method: 'saliency' }))
    .explanation;
  expect(waiting.status).toBe('queued');
  await endGroup(gateway);
  await makeOlder(join(data, 'state'), 'eigen-cam');
  // That release had no registry of workers.
  await rm(join(data, 'state', 'v3', 'do', 'whylight-WorkerRegistry'), { recursive: true, force: true });
  await writeFile(join(data, 'secrets.json'), JSON.stringify({ ...secrets, tenant, apiKey: key.secret }));
  const { operatorKey } = secrets;
  return {
    ...{ tenant, apiKey: key.secret, operatorKey, upload, explained: explained.id, waiting: waiting.id },
    older: { id: older.id, probability: probability! },
    webhook: { id: webhook.id, explanation: older.id },
  };
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

it('serves a data directory that wrangler dev has written: keys, objects, results, and the job that waited', async () => {
  service = await RunningService.start({ directory });
  const { tenant, apiKey, operatorKey, upload, explained, waiting } = left;
  expect(service.ready).toMatchObject({ tenant, api_key: apiKey, operator_key: operatorKey });
  const { client } = service;

  // Of the database, of a Durable Object, and of the store.
  expect((await client.explanation(explained)).status).toBe('succeeded');
  const again = await client.explain({ input: { upload }, model: 'shapes', method: 'grad-cam' });
  expect(again.cacheStatus).toBe('whylight; hit');
  const overlay = await client.artifact(explained, 'overlay.png');
  const { sha256 } = again.explanation.attributions[0]!.artifacts.overlay;
  expect(createHash('sha256').update(overlay).digest('hex')).toBe(sha256);

  const end = async (): Promise<string> => {
    const { status } = await client.explanation(waiting, { wait: 60 });
    return status === 'queued' || status === 'processing' ? end() : status;
  };
  expect(await end()).toBe('succeeded');
  expect(
    (await client.explain({ input: { upload }, model: 'shapes', method: 'layer-cam' })).explanation.status,
  ).toBe('succeeded');
});

it('shows a result in the form of before under its id, and draws it again', async () => {
  const { client } = service!;
  const { id, probability } = left.older;
  const explanation = await client.explanation(id);
  expect(explanation).toMatchObject({
    status: 'succeeded',
    task: 'multiclass',
    target: { type: 'class', index: 'predicted', score: 'logit' },
    attributions: [{ probability, score: null }],
  });
  expect(explanation.predictions[0]).toMatchObject({ probability, score: null });
  expect(explanation.warnings).toContainEqual({ code: 'note', message: 'a note without a code' });
  const { artifacts, cache } = await client.render(id, { visualization: { color_map: 'viridis' } });
  expect(cache.status).toBe('miss');
  expect((await client.download(artifacts.overlay)).length).toBeGreaterThan(100);
});

it('explains by a model whose preprocessing is spelled as before', async () => {
  const { explanation } = await service!.client.explain({
    ...{ input: { upload: left.upload }, model: 'mine', method: 'grad-cam' },
  });
  const theirs = await service!.client.explanation(left.explained);
  expect(explanation.error).toBeNull();
  const [own, expected] = [explanation, theirs].map(({ attributions }) => attributions[0]!);
  expect(own!.output_index).toBe(expected!.output_index);
  expect(own!.artifacts.attribution.sha256).toBe(expected!.artifacts.attribution.sha256);
});

it('finds what each Durable Object has stored under the name that its class had then', async () => {
  const { client } = service!;
  const { id, explanation } = left.webhook;
  const { value: delivery } = await client.webhookEndpoints.deliveries(id).next();
  expect(delivery.id).toBe(`evt_${explanation.slice('exp_'.length)}`);
  expect(delivery.attempts[0].error).toEqual(expect.any(String));
  const names = await readdir(join(directory, 'state', 'v3', 'do'));
  for (const [now, before] of Object.entries(olderClasses))
    expect([names.includes(`whylight-${before}`), names.includes(`whylight-${now}`)], now).toEqual([
      true,
      false,
    ]);
  // The class that is new has begun without data.
  expect(names).toContain('whylight-WorkerRegistry');
});

it('leaves nothing there that only wrangler read', async () => {
  const names = await readdir(join(directory, 'gateway'));
  expect(names.sort()).toEqual(['.dev.vars', 'entry.sock']);
});
