import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestHarness } from 'wrangler';
import { gatewayConfig } from '../several-workers/several-workers.ts';
import { WorkerProcess } from '../several-workers/worker-process.ts';
import { freePort, startVersitygw, type Versitygw } from './versitygw.ts';

const secret = 'a secret that gateway and worker share';

describe('L13: gateway and worker as they run, with versitygw as their store', () => {
  let versitygw: Versitygw;
  let settings: Record<string, string>;
  beforeAll(async () => {
    versitygw = await startVersitygw();
    const { settings: address, accessKeyId, secretAccessKey } = versitygw.store;
    settings = {
      ...{ S3_ENDPOINT: address.S3_ENDPOINT, S3_BUCKET: address.S3_BUCKET, WORKER_SECRET: secret },
      ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
    };
  });
  afterAll(() => versitygw?.store.stop());

  async function readinessOfGateway(change: Record<string, string>): Promise<[number, { detail?: string }]> {
    const vars = {
      ...{ ...settings, WORKER_URL: 'http://127.0.0.1:1', PUBLIC_URL: 'http://127.0.0.1:1', ...change },
      OPERATOR_KEY_SHA256: createHash('sha256').update('operator').digest('hex'),
    };
    const gateway = createTestHarness({ workers: [{ config: await gatewayConfig(vars, false) }] });
    try {
      const { url } = await gateway.listen();
      await gateway.getWorker<{ DB: never }>().applyD1Migrations('DB');
      const response = await fetch(new URL('/readyz', url));
      return [response.status, await response.json()];
    } finally {
      await gateway.close();
    }
  }

  test('the gateway is ready, with endpoint and bucket as its only address', async () => {
    expect(await readinessOfGateway({})).toEqual([200, { status: 'ok' }]);
    expect(await versitygw.files()).toEqual([]);
  });

  test('the gateway says what is wrong', async () => {
    const S3_ENDPOINT = `http://127.0.0.1:${await freePort()}`;
    for (const [change, sentence] of [
      [{ S3_REGION: 'eu-west-1' }, /Set S3_REGION=us-east-1\./],
      [{ S3_SECRET_ACCESS_KEY: 'another secret' }, /Set S3_SECRET_ACCESS_KEY/],
      // Wrangler, which runs the gateway here, answers 500 in the place of a host that it does not reach.
      [{ S3_ENDPOINT }, /(does not answer: |has a fault or too much to do\.).* \(PUT 127\.0\.0\.1:\d+: /],
    ] as const) {
      const [status, { detail }] = await readinessOfGateway(change);
      expect([status, detail]).toEqual([503, expect.stringMatching(sentence)]);
    }
  });

  test('the worker is ready, with the same address', async () => {
    const worker = await WorkerProcess.start({ ...settings, MODELS: '' });
    expect(await worker.readiness()).toEqual([true, 'ok']);
    await worker.stop();
    expect(await versitygw.files()).toEqual([]);
  });
});
