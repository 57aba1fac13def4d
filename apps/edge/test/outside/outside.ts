import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { createTestHarness } from 'wrangler';
import { startReceiverDouble } from './receiver-double.ts';
import { startWorkerDouble } from './worker-double.ts';

/** Starts what the gateway talks to: an S3 endpoint, a worker that takes jobs and never reports, who gets webhooks. */
export default async function outside({ provide }: TestProject): Promise<() => Promise<void>> {
  const config = fileURLToPath(new URL('./object-store/wrangler.jsonc', import.meta.url).href);
  const store = createTestHarness({ workers: [{ configPath: config }] });
  const { url } = await store.listen();
  const worker = await startWorkerDouble();
  const receiver = await startReceiverDouble();
  provide('s3' as never, new URL('/cdn-cgi/local/r2/s3', url).href as never);
  provide('worker' as never, worker.url as never);
  provide('receiver' as never, receiver.url as never);
  return async () => {
    await worker.close();
    await receiver.close();
    await store.close();
  };
}
