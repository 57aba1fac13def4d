import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ClaimedJob, callGateway, isPassing, pauseAfter } from './gateway-call.ts';

export interface ClaimSettings {
  readonly secret: string;
  /** The name of this worker. */
  readonly worker: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'claims'>;
  /** Milliseconds before the first repetition; doubled each time, up to 10 s. */
  readonly patience?: number;
}

/** Tries of a claim before it is given up: half a minute in all, which is less than a lease. */
const tries = 8;
/** Milliseconds for one answer. */
const answerTime = 5_000;

/**
 * Asks the gateway for the attempt. False: another worker has it, it is over, or the gateway does not answer. The worker then
 * forgets the job and reports nothing: if no other worker has it, its lease runs out and the gateway makes another attempt.
 */
export async function claim(
  job: ClaimedJob,
  signal: AbortSignal,
  { secret, worker, log, metrics, patience = 250 }: ClaimSettings,
): Promise<boolean> {
  const { attempt, lease, nonce, key, request_id } = job;
  for (let calls = 1; ; calls++) {
    // This waits for the answer to a call, whatever the signal: a worker that got the attempt must hand it back.
    const about = { attempt, lease, nonce, worker };
    const answer = await callGateway(job, job.claim_url, about, secret, answerTime);
    const isClaimed = answer.status === 204;
    const isRefused = answer.status === 409;
    const isLast = calls === tries || signal.aborted || !isPassing(answer);
    if (!isClaimed && !isRefused && !isLast) {
      await sleep(pauseAfter(calls, patience), undefined, { signal }).catch(() => {});
      if (!signal.aborted) continue;
    }
    const outcome = isClaimed ? 'claimed' : isRefused ? 'refused' : 'given_up';
    metrics.claims.inc({ outcome });
    const reason = isClaimed ? {} : { code: answer.code, http_status: answer.status, calls };
    log(isClaimed ? 'job_claimed' : `claim_${outcome}`, { request_id, key, attempt, ...reason });
    return isClaimed;
  }
}
