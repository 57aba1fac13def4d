import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import type { TestProject } from 'vitest/node';
import { credentials } from '../secrets.ts';
import { startReceiverDouble } from './receiver-double.ts';

/** Starts what all gateways of the tests talk to: an S3 endpoint, and who gets webhooks. */
export default async function outside({ provide }: TestProject): Promise<() => Promise<void>> {
  const store = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      modules: true,
      script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
      compatibilityDate: '2026-11-01',
      r2Buckets: { BUCKET: { id: 'photos', s3Credentials: credentials } },
    }),
  );
  const url = await store.ready;
  const receiver = await startReceiverDouble();
  provide('s3' as never, new URL('/cdn-cgi/local/r2/s3', url).href as never);
  provide('receiver' as never, receiver.url as never);
  return async () => {
    await receiver.close();
    await store.dispose();
  };
}
