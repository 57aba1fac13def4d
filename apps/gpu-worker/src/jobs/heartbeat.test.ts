import { afterEach, expect, test } from 'vitest';
import { jobFor } from '../testing/job.ts';
import { listenAsGateway, secret } from '../testing/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { JobQueue } from './job-queue.ts';

let stop = () => {};
afterEach(() => stop());

test('a job that waits is told of, as is one at work, and is dropped when nobody wants it', async () => {
  const gateway = await listenAsGateway();
  const stopped: string[] = [];
  const queue = new JobQueue({
    concurrency: 1,
    limit: 9,
    claim: async ({ lease }) => !lease.endsWith('c'),
    run: ({ lease }, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => {
          stopped.push(`${lease}: ${signal.reason}`);
          resolve();
        });
      }),
  });
  for (const name of ['a', 'b', 'c'])
    queue.offer(jobFor({ key: name.repeat(64), lease: `lease-of-the-job-${name}`, report_url: gateway.url }));
  stop = startHeartbeat(queue, secret, () => {}, 20);
  await expect.poll(() => gateway.reports.length).toBeGreaterThan(3);
  expect(new Set(gateway.reports.map(({ status, lease }) => `${status} ${lease}`))).toEqual(
    new Set(['alive lease-of-the-job-a', 'alive lease-of-the-job-b']),
  );
  gateway.answer = ({ lease }) => (lease.endsWith('a') ? 409 : 204);
  await expect.poll(() => stopped).toEqual(['lease-of-the-job-a: unwanted']);
  expect(queue.claimed.map(({ lease }) => lease)).toEqual(['lease-of-the-job-b']);
  stop();
  await gateway.close();
});
