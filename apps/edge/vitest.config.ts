import { fileURLToPath } from 'node:url';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { maxWorkers } from '../../vitest.workers.ts';
import { startWorkerDouble } from './test/outside/worker-double.ts';
import {
  backlogKeySha256,
  credentials,
  operatorKeySha256,
  webhookSecret,
  workerSecret,
} from './test/secrets.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url).href);

/**
 * Inside workerd; the object store and the worker are real HTTP servers outside (test/outside). What is given to the plugin is
 * called for each workerd: each has a worker of its own, because tests tell theirs what to answer.
 */
export default defineConfig({
  plugins: [
    cloudflareTest(async ({ inject }) => ({
      wrangler: { configPath: here('./wrangler.jsonc') },
      miniflare: {
        bindings: {
          S3_ENDPOINT: inject<string>('s3'),
          S3_REGION: 'auto',
          S3_BUCKET: 'photos',
          S3_ACCESS_KEY_ID: credentials.accessKeyId,
          S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          WORKER_URL: (await startWorkerDouble()).url,
          WORKER_SECRET: workerSecret,
          PUBLIC_URL: 'http://gateway.test',
          REQUEST_LOG: 'off',
          OPERATOR_KEY_SHA256: operatorKeySha256,
          BACKLOG_KEY_SHA256: backlogKeySha256,
          WEBHOOK_SECRET: webhookSecret,
          WEBHOOKS_ALLOW_LOOPBACK: 'true',
          DNS_OVER_HTTPS_URL: `${inject<string>('receiver')}/dns-query`,
          RECEIVER_URL: inject<string>('receiver'),
          MIGRATIONS: await readD1Migrations(here('./migrations')),
        },
      },
    })),
  ],
  test: {
    name: 'edge',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: [here('./test/outside/outside.ts')],
    setupFiles: [here('./test/setup.ts')],
    testTimeout: 60_000,
    // Every test makes its own tenant and its own bytes, so that files can share a workerd, and the store.
    isolate: false,
    maxWorkers,
  },
});
