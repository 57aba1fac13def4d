import type { Log } from '../telemetry/log.ts';
import { type ClaimedJob, callGateway } from './gateway-call.ts';
import type { JobQueue } from './job-queue.ts';

/** Milliseconds; the gateway gives a job up that it has heard nothing of for a minute. */
const interval = 20_000;

/**
 * Reports every job that this worker has claimed as alive, whether it waits or runs: otherwise the gateway would give a job that
 * waits long to another worker too. Drops a job that the gateway no longer wants. @returns what ends the reports
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
