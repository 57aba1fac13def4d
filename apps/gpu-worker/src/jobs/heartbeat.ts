import type { Log } from '../telemetry/log.ts';
import { type ClaimedJob, callGateway } from './gateway-call.ts';
import type { JobQueue } from './job-queue.ts';

/** Milliseconds; the gateway gives a job up that it has heard nothing of for a minute. */
const interval = 20_000;

/**
 * Tells the gateway of every job that this worker has claimed that it is still here, waiting or at work: otherwise one that waits long would be
 * given to another worker too. One that the gateway no longer wants is dropped. @returns what ends it
 */
export function startHeartbeat(queue: JobQueue, secret: string, log: Log, every = interval): () => void {
  const beat = async (job: ClaimedJob) => {
    const { key, attempt, lease, nonce, request_id } = job;
    const report = { attempt, lease, nonce, status: 'alive' };
    const { status } = await callGateway(job, job.report_url, report, secret);
    if (status === 409) queue.drop(key, attempt);
    else if (status !== 204) log('heartbeat_unheard', { request_id, key, attempt, http_status: status });
  };
  const timer = setInterval(() => {
    for (const job of queue.claimed) void beat(job);
  }, every);
  timer.unref();
  return () => clearInterval(timer);
}
