/**
 * Starts a built image and uses it: `node infra/gpu-worker/try-image.ts ROOT CONFIG`. ROOT is the image's file system, CONFIG what
 * `buildah inspect --type image` prints. First the worker stands alone and speaks KServe's protocols; then it works for a gateway and
 * a store on this machine. Fails if an answer is wrong, or if the worker does not end in order after SIGTERM.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WhylightClient } from '@whylight/client';
import { SeveralWorkers } from '../../test/several-workers/several-workers.ts';
import { explainTwice } from '../explain-twice.ts';
import { readImageConfig, startImage } from './image-process.ts';

const [root, configPath] = process.argv.slice(2);
if (!root || !configPath) {
  console.error('usage: node infra/gpu-worker/try-image.ts ROOT CONFIG');
  process.exit(2);
}
const config = readImageConfig(configPath);
const photo = fileURLToPath(new URL('../../apps/cli/photos/coffee.jpg', import.meta.url));
const model = 'efficientnet-lite0';

await tryAlone(root);
await tryWithGateway(root);

async function tryAlone(root: string): Promise<void> {
  const args = ['--model', `/whylight/models/${model}`, '--host', '127.0.0.1', '--port', '0'];
  const child = startImage(root, config, { THREADS: '1', DRAWING_THREADS: '1' }, args);
  const url = await listening(child);
  const isReady = () =>
    fetch(`${url}/v2/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isReady())) {
    const { exitCode, signalCode } = child;
    assert.ok(
      exitCode === null && signalCode === null,
      `the worker has ended with ${signalCode ?? `status ${exitCode}`}`,
    );
    await sleep(200);
  }
  const instances = [{ b64: readFileSync(photo).toString('base64') }];
  const response = await fetch(`${url}/v1/models/${model}:explain`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ instances, parameters: { method: 'grad-cam', overlay: true } }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { predictions, explanations } = JSON.parse(text);
  const [[best]] = predictions;
  assert.equal(best.label, 'espresso');
  const [{ attribution, overlay }] = explanations;
  const values: number[] = attribution.flat(Infinity);
  assert.ok(
    values.every(Number.isFinite) && Math.max(...values) > 0,
    'the attribution is finite and not empty',
  );
  assert.equal(Buffer.from(overlay.b64_png, 'base64').toString('latin1', 1, 4), 'PNG');
  console.log(`alone: ${best.label} ${best.probability.toFixed(3)}, by KServe's V1, with its overlay`);
  child.kill('SIGTERM');
  const [status] = await once(child, 'exit');
  assert.equal(status, 0, 'the worker ends with status 0 after SIGTERM');
}

async function tryWithGateway(root: string): Promise<void> {
  const service = await SeveralWorkers.start({
    workers: [{ GATEWAY_URL: 'true' }],
    doubled: false,
    launch: (settings) => startImage(root, config, settings),
  });
  try {
    assert.deepEqual(await service.workers[0]!.readiness(), [true, 'ok']);
    const { key } = await service.newTenant('image');
    await explainTwice(new WhylightClient({ url: service.url, apiKey: key.secret }), photo);
    console.log('with a gateway: ready; the second answer came from the cache');
  } catch (error) {
    for (const line of service.workers[0]!.linesOf('job_failed')) console.error(JSON.stringify(line));
    throw error;
  } finally {
    await service.stop();
  }
}

/** Waits until the worker's log names its address. @throws Error if it ends before */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!).on('line', (line) => {
      const { event, url } = JSON.parse(line);
      if (event === 'worker_listening') resolve(url);
    });
    child.once('exit', (status, signal) =>
      reject(new Error(`the worker has ended with ${signal ?? `status ${status}`}`)),
    );
  });
}
